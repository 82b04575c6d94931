import { Agent as HttpAgent, request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { trustedContext } from './certificates.ts';

/** Posts to one URL, over one connection that stays open between requests. */
export class HttpPoster implements Disposable {
  readonly #url: string;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(url: string) {
    this.#url = url;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = url.startsWith('https:')
      ? new HttpsAgent({ ...options, secureContext: trustedContext() })
      : new HttpAgent(options);
  }

  /** Resolves with the status of the answer, whose body nobody wants. Follows no redirect. */
  post(body: string, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<number> {
    const send = this.#url.startsWith('https:') ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = send(this.#url, { method: 'POST', headers, agent: this.#agent, signal }, (response) => {
        response.on('error', reject);
        // Only read to the end may the connection be used again.
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      });
      request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
      request.end(body);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
