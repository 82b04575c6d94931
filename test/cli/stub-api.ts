import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ALL_ROUTES } from '../../agent/api/resources/all-routes.ts';
import { Router } from '../../agent/api/router.ts';

const ROUTER = new Router(ALL_ROUTES);

export type Recorded = {
  readonly method: string;
  /** With its query. */ readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** JSON where it is JSON, else text; undefined without a body. */
  readonly body: unknown;
};

/** A body to answer with status 200, or all of the answer. */
export type Answer = object | string | null | ((request: Recorded, response: ServerResponse) => void);

/** A peer's API that knows a few answers and remembers what it was asked. */
export class StubApi implements AsyncDisposable {
  readonly requests: Recorded[] = [];
  /** Requests that no peer would take: of no endpoint, or with another body than it declares. */
  readonly misfits: string[] = [];
  /** How bodies that are no JSON become text. */
  bodyEncoding: 'utf8' | 'latin1' = 'utf8';
  readonly #answers = new Map<string, Answer>();
  readonly #server: Server;
  /** The server forgets these, and would wait for their end. */
  readonly #upgraded = new Set<Duplex>();
  #onUpgrade: ((message: IncomingMessage, socket: Duplex) => void) | null = null;

  private constructor() {
    this.#server = createServer((message, response) => void this.#handle(message, response));
    this.#server.on('upgrade', (message: IncomingMessage, socket: Duplex) => {
      this.#upgraded.add(socket);
      this.#onUpgrade?.(message, socket);
    });
  }

  /** @param listen a port of 127.0.0.1, or the path of a Unix socket */
  static async start(listen: number | string = 0): Promise<StubApi> {
    const stub = new StubApi();
    await new Promise<void>((resolve) => {
      if (typeof listen === 'string') stub.#server.listen(listen, resolve);
      else stub.#server.listen(listen, '127.0.0.1', resolve);
    });
    return stub;
  }

  get host(): string {
    const address: AddressInfo | string | null = this.#server.address();
    return typeof address === 'object' && address !== null
      ? `127.0.0.1:${address.port}`
      : `unix:${address ?? ''}`;
  }

  /** `on('GET /apps', [...])`: answers with JSON; a function writes the response itself. */
  on(route: string, answer: Answer): this {
    this.#answers.set(route, answer);
    return this;
  }

  refuse(route: string, status: number, body: unknown): this {
    return this.on(route, (_request: Recorded, response: ServerResponse) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  onUpgrade(handler: (message: IncomingMessage, socket: Duplex) => void): this {
    this.#onUpgrade = handler;
    return this;
  }

  /** `METHOD path` of every request, in order. */
  get asked(): readonly string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  /** The last request of a route. */
  sent(route: string): Recorded {
    const found = this.requests.findLast(({ method, path }) => `${method} ${path}` === route);
    if (found === undefined) throw new Error(`Nobody asked for ${route}, but for ${this.asked.join(', ')}`);
    return found;
  }

  /** Cuts all connections; the next one is served. */
  disconnect(): void {
    this.#server.closeAllConnections();
  }

  /** Throws if the CLI has asked for what the API does not declare. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.misfits.length > 0) throw new Error(`The API takes no ${this.misfits.join(', no ')}`);
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const recorded = record(message, Buffer.concat(chunks).toString(this.bodyEncoding));
    this.requests.push(recorded);
    const misfit = misfitOf(recorded);
    if (misfit !== null) this.misfits.push(misfit);
    const route = `${recorded.method} ${recorded.path}`;
    const answer = this.#answers.get(route);
    if (typeof answer === 'function') {
      answer(recorded, response);
      return;
    }
    const status = this.#answers.has(route) ? 200 : 404;
    const body = this.#answers.has(route)
      ? answer
      : { id: 'not_found', message: `There is no ${route} here` };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
}

function misfitOf({ method, path, body, headers }: Recorded): string | null {
  const found = ROUTER.match(method, path.split('?', 1)[0] ?? '');
  if (found === null) return `${method} ${path}`;
  const { body: schema } = found.route.endpoint;
  const isJson = headers['content-type'] === 'application/json';
  if (schema === null) return isJson ? `${method} ${path} with a body` : null;
  const parsed = schema.safeParse(body ?? {});
  return parsed.success ? null : `${method} ${path} with ${JSON.stringify(body)}: ${parsed.error.message}`;
}

function record(message: IncomingMessage, text: string): Recorded {
  const isJson = message.headers['content-type'] === 'application/json' && text !== '';
  const body: unknown = isJson ? JSON.parse(text) : text === '' ? undefined : text;
  return { method: message.method ?? '', path: message.url ?? '', headers: message.headers, body };
}
