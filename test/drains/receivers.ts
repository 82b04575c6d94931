import { createServer as createHttp, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createServer as createTls } from 'node:tls';
import { parseLogplex } from '../../src/logs/logplex.ts';

export type TlsIdentity = { readonly key: string; readonly cert: string };

/** Takes syslog over TCP, or TLS with an identity, and keeps what came. */
export class SyslogReceiver implements AsyncDisposable {
  /** Whole frames, of all connections. */
  readonly frames: string[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(tls: TlsIdentity | null) {
    const take = (socket: Socket): void => this.#take(socket);
    this.#server = tls === null ? createTcp(take) : createTls(tls, take);
    this.#server.on('tlsClientError', () => {}); // Refusing our certificate is what a test wants of it.
  }

  static async open(tls: TlsIdentity | null = null, port = 0): Promise<SyslogReceiver> {
    const receiver = new SyslogReceiver(tls);
    await new Promise<void>((resolve) => receiver.#server.listen(port, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get texts(): readonly string[] {
    return this.frames.map((frame) => frame.split(' - - ').slice(1).join(' - - ').trimEnd());
  }

  /** Resets all connections. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #take(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('error', () => {}); // Its end is what counts.
    socket.on('close', () => this.#sockets.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      for (let space = rest.indexOf(0x20); space !== -1; space = rest.indexOf(0x20)) {
        const end = space + 1 + Number(rest.toString('latin1', 0, space));
        if (end > rest.length) break;
        this.frames.push(rest.toString('utf8', space + 1, end));
        rest = rest.subarray(end);
      }
    });
  }
}

export type Post = {
  readonly headers: IncomingHttpHeaders;
  readonly texts: readonly string[];
  /** What it was answered; null: the connection was closed instead. */
  readonly status: number | null;
};

/** Takes batches over HTTP, or HTTPS with an identity. */
export class BatchReceiver implements AsyncDisposable {
  readonly posts: Post[] = [];
  /** What the next requests are answered; 200 when it is empty. `close` hangs up, `hang` says nothing. */
  readonly answers: (number | 'close' | 'hang')[] = [];
  readonly #server: ReturnType<typeof createHttp> | ReturnType<typeof createHttps>;

  private constructor(tls: TlsIdentity | null) {
    const listener: RequestListener = (request, response) => {
      void buffer(request).then((body) => {
        const answer = this.answers.shift() ?? 200;
        const status = typeof answer === 'number' ? answer : null;
        const texts = (parseLogplex(body) ?? []).map(({ text }) => text);
        this.posts.push({ headers: request.headers, texts, status });
        if (status !== null) response.writeHead(status).end('thanks');
        else if (answer === 'close') request.socket.destroy();
      });
    };
    this.#server = tls === null ? createHttp(listener) : createHttps(tls, listener);
    this.#server.on('tlsClientError', () => {}); // As above.
  }

  static async open(tls: TlsIdentity | null = null): Promise<BatchReceiver> {
    const receiver = new BatchReceiver(tls);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What was taken, without what was refused. */
  get texts(): readonly string[] {
    return this.posts.flatMap(({ texts, status }) => (status === 200 ? texts : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
