import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { HOST } from './test-router.ts';

export type Reply = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

export type RequestOptions = {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
};

/** One request on a connection of its own, to the app under `web.example.com` unless a Host says otherwise. */
export function send(port: number, options: RequestOptions = {}): Promise<Reply> {
  const { path = '/', method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const out = request(
      { host: '127.0.0.1', port, path, method, headers: { host: HOST, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    out.on('error', reject);
    out.end(body);
  });
}

/** Sends bytes as they are, and resolves with all that came until the other side closed. */
export function sendRaw(port: number, bytes: string | Buffer, withinMs = 30_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`Still open after ${withinMs} ms, having said: ${answer}`));
    }, withinMs);
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => (answer += text));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}
