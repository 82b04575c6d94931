import { request } from 'node:http';

const ANSWER_MS = 40_000;

export type AppAnswer = { readonly status: number; readonly body: string };

/** One request for an app to one peer's router, on a connection of its own; status 0 when it broke. */
export function appRequest(
  http: string,
  app: string,
  path = '/',
  options: { method?: string; body?: string } = {},
): Promise<AppAnswer> {
  const { hostname, port } = new URL(http);
  return new Promise((resolve) => {
    const call = request(
      {
        hostname,
        port,
        path,
        method: options.method ?? 'GET',
        headers: { host: `${app}.localhost` },
        agent: false,
        timeout: ANSWER_MS,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', (error) => resolve({ status: 0, body: String(error) }));
      },
    );
    call.on('timeout', () => call.destroy(new Error('no answer in time')));
    call.on('error', (error) => resolve({ status: 0, body: String(error) }));
    call.end(options.body);
  });
}
