import { randomUUID } from 'node:crypto';
import type * as Http from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, CliError } from '../line/cli-error.ts';
import { connectionError, isLostConnection } from './connection-error.ts';
import { endpointLabel, type Endpoint } from './endpoint.ts';

export type RequestExtras = {
  /** Heroku's way of paging and sorting: `version ..; max=15, order=desc`. */
  readonly range?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes to send as they are, instead of a JSON body. */
  readonly upload?: { readonly source: () => Readable; readonly bytes: number };
  /** Silence after which the peer is given up. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

const TIMEOUT_MS = 60_000;
/** A peer that restarts cuts connections; by the same Request-Id a repeated write is the same write. */
const RETRY_MS = [200, 500, 1_000];

/** A peer's API. The peer is trusted to answer in the shapes of src/platform, which is what `T` names. */
export class Client {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  get<T>(path: string, extras: RequestExtras = {}): Promise<T> {
    return this.#json<T>('GET', path, undefined, extras);
  }

  post<T>(path: string, body?: unknown, extras: RequestExtras = {}): Promise<T> {
    return this.#json<T>('POST', path, body, extras);
  }

  patch<T>(path: string, body: unknown, extras: RequestExtras = {}): Promise<T> {
    return this.#json<T>('PATCH', path, body, extras);
  }

  put<T>(path: string, body: unknown, extras: RequestExtras = {}): Promise<T> {
    return this.#json<T>('PUT', path, body, extras);
  }

  delete<T>(path: string, body?: unknown): Promise<T> {
    return this.#json<T>('DELETE', path, body, {});
  }

  /** A response to read as it comes: logs, build output. Throws ApiError unless its status is 2xx. */
  async stream(path: string, extras: RequestExtras = {}): Promise<IncomingMessage> {
    const response = await this.#send('GET', pathOf(path), undefined, randomUUID(), extras);
    if (isSuccess(response)) return response;
    throw this.#refusal(response, await readText(response));
  }

  /** Sends a file's bytes to a URL that the API gave out. */
  async upload(
    url: string,
    upload: NonNullable<RequestExtras['upload']>,
    timeoutMs = TIMEOUT_MS,
  ): Promise<void> {
    const response = await this.#send('PUT', pathOf(url), undefined, randomUUID(), { upload, timeoutMs });
    const text = await readText(response);
    if (!isSuccess(response)) throw this.#refusal(response, text);
  }

  /** Turns a connection into a stream of another protocol. */
  upgrade(path: string, protocol: string): Promise<{ socket: Duplex; head: Buffer }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ socket: Duplex; head: Buffer }>();
    const headers = { ...this.#headers(randomUUID()), connection: 'Upgrade', upgrade: protocol };
    void this.#open({ method: 'GET', path, headers, timeout: TIMEOUT_MS })
      .then((request) => {
        request.on('upgrade', (_response, socket, head) => {
          // The time limit was for the handshake; a shell may be silent for an hour.
          socket.setTimeout(0);
          resolve({ socket, head });
        });
        request.on('response', (response) => {
          void readText(response).then((text) => reject(this.#refusal(response, text)), reject);
        });
        request.on('timeout', () => request.destroy(new Error('timeout')));
        request.on('error', (error) => reject(connectionError(error, this.#endpoint)));
        request.end();
      })
      .catch(reject);
    return promise;
  }

  async #json<T>(method: string, path: string, body: unknown, extras: RequestExtras): Promise<T> {
    const id = randomUUID();
    for (let attempt = 0; ; attempt += 1) {
      try {
        const response = await this.#send(method, path, body, id, extras);
        const text = await readText(response);
        if (!isSuccess(response)) throw this.#refusal(response, text);
        const value: T = text === '' ? {} : JSON.parse(text);
        return value;
      } catch (error) {
        const waitMs = RETRY_MS[attempt];
        if (error instanceof SyntaxError) throw this.#notJson(error);
        if (error instanceof CliError) throw error;
        if (waitMs === undefined || !isLostConnection(error)) throw connectionError(error, this.#endpoint);
        await sleep(waitMs);
      }
    }
  }

  async #send(
    method: string,
    path: string,
    body: unknown,
    requestId: string,
    { range, headers = {}, upload, timeoutMs = TIMEOUT_MS, signal }: RequestExtras,
  ): Promise<IncomingMessage> {
    const payload = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const request = await this.#open({
      method,
      path,
      timeout: timeoutMs,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        ...this.#headers(requestId),
        ...(payload === null ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
        ...(upload === undefined ? {} : { 'content-length': upload.bytes }),
        ...(range === undefined ? {} : { range }),
        ...headers,
      },
    });
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request.on('response', resolve);
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', (error) =>
      reject(isLostConnection(error) ? error : connectionError(error, this.#endpoint)),
    );
    if (upload === undefined) request.end(payload ?? undefined);
    else
      upload
        .source()
        .on('error', (error) => request.destroy(error))
        .pipe(request);
    return promise;
  }

  async #open(options: RequestOptions): Promise<ClientRequest> {
    if (this.#endpoint.kind === 'unix') {
      return http().request({ ...options, socketPath: this.#endpoint.path, host: 'localhost' });
    }
    const { protocol, hostname, port } = new URL(this.#endpoint.base);
    const target = { ...options, hostname: hostname.replace(/^\[|\]$/g, ''), port };
    if (protocol === 'http:') return http().request(target);
    const https = await import('node:https');
    return https.request(target);
  }

  #headers(requestId: string): Record<string, string> {
    const token = this.#endpoint.kind === 'http' ? this.#endpoint.token : null;
    return {
      accept: 'application/vnd.heroku+json; version=3',
      'user-agent': 'kith-cli',
      'request-id': requestId,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  #refusal(response: IncomingMessage, text: string): ApiError {
    const status = response.statusCode ?? 0;
    const { id, message, hint } = parseRefusal(text);
    const label = endpointLabel(this.#endpoint);
    if (status === 401) {
      const said = `${label} does not accept ${this.#hasToken() ? 'the token' : 'requests without a token'}`;
      const login = `Log in with \`kith login --host ${label}\`, or set KITH_TOKEN`;
      return new ApiError(status, id ?? 'unauthorized', said, login);
    }
    return new ApiError(status, id ?? 'unknown', message ?? `${label} answered with status ${status}`, hint);
  }

  #hasToken(): boolean {
    return this.#endpoint.kind === 'http' && this.#endpoint.token !== null;
  }

  #notJson(cause: SyntaxError): CliError {
    const label = endpointLabel(this.#endpoint);
    return new CliError(`"${label}" does not answer as a peer of Kith does`, {
      hint: 'Does --host or KITH_HOST name the API port of an agent?',
      cause,
    });
  }
}

/**
 * Not imported: an import reads every export, and one of them (WebSocket) loads all of undici, which takes longer than
 * most commands.
 */
function http(): typeof Http {
  return process.getBuiltinModule('node:http');
}

/** The API gives out URLs as it sees itself; what it said is asked for where it was said. */
export function pathOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}

function isSuccess(response: IncomingMessage): boolean {
  return (response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 300;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parseRefusal(text: string): { id?: string; message?: string; hint?: string } {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy in between, or no peer at all: the status says what there is to say.
    return {};
  }
}
