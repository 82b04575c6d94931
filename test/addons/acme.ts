import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export const MANIFEST_ID = 'acme-redis';
const PASSWORD = 'a provider: its password';
const SSO_SALT = 'salt';

/** One request that the platform made. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly isAuthorized: boolean;
  readonly accept: string;
};
type Resource = { plan: string; readonly name: string; readonly callback: string; readonly code: string };
type Answer = { readonly status: number; readonly body?: unknown };

/**
 * An add-on provider as Heroku's samples are: resources by uuid, the same answer for the same uuid, Basic auth. What it is to
 * do beside that, `misbehave` says.
 */
export class Acme implements AsyncDisposable {
  readonly resources = new Map<string, Resource>();
  readonly asked: Asked[] = [];
  /** Answers instead of what it would do; null: it does it. Awaited, so it may also be slow. */
  misbehave: (asked: Asked) => Promise<Answer | null> | Answer | null = () => null;
  isAsync = false;
  message: string | null = 'Your Redis is here.';
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get manifest() {
    return {
      id: MANIFEST_ID,
      name: 'Acme Redis',
      api: {
        version: '3',
        config_vars_prefix: 'REDIS',
        config_vars: ['REDIS_URL'],
        password: PASSWORD,
        sso_salt: SSO_SALT,
        regions: ['us'],
        requires: [],
        production: { base_url: `${this.url}/heroku/resources`, sso_url: `${this.url}/sso/login` },
      },
      plans: ['mini', { name: 'big', human_name: 'Big', cents: 500 }],
    };
  }

  /** Those that it has, by name. */
  get names(): readonly string[] {
    return [...this.resources.values()].map(({ name }) => name).sort();
  }

  get basic(): Record<string, string> {
    return { authorization: `Basic ${Buffer.from(`${MANIFEST_ID}:${PASSWORD}`).toString('base64')}` };
  }

  /** What it was asked, of this method. */
  times(method: string): number {
    return this.asked.filter((each) => each.method === method).length;
  }

  /** Exchanges the grant that came with an add-on. */
  async tokensOf(uuid: string, api: string): Promise<{ access_token: string; refresh_token: string }> {
    const response = await fetch(`${api}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: this.resources.get(uuid)?.code ?? '',
        client_secret: PASSWORD,
      }),
    });
    if (!response.ok)
      throw new Error(`The grant was answered with ${response.status}: ${await response.text()}`);
    return (await response.json()) as { access_token: string; refresh_token: string };
  }

  /** Whether a link of `addons:open` would let its bearer in. */
  accepts(link: string): boolean {
    const fields = new URL(link).searchParams;
    const text = `${fields.get('resource_id')}:${SSO_SALT}:${fields.get('timestamp')}`;
    return fields.get('resource_token') === createHash('sha1').update(text).digest('hex');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body =
      request.headers['content-type'] === 'application/json' ? ((await json(request)) as Asked['body']) : {};
    const asked: Asked = {
      method: request.method ?? '',
      path: request.url ?? '',
      body,
      isAuthorized: request.headers.authorization === this.basic.authorization,
      accept: request.headers.accept ?? '',
    };
    this.asked.push(asked);
    const answer = (await this.misbehave(asked)) ?? this.#do(asked);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  }

  #do({ method, path, body, isAuthorized }: Asked): Answer {
    if (!isAuthorized) return { status: 401 };
    const uuid = path.split('/')[3] ?? '';
    if (method === 'POST') return this.#provision(body);
    const found = this.resources.get(uuid);
    if (found === undefined) return { status: 410 };
    if (method === 'PUT') {
      found.plan = String(body.plan);
      return {
        status: 200,
        body: { message: `It is ${found.plan} now.`, config: { REDIS_URL: urlOf(uuid, found.plan) } },
      };
    }
    this.resources.delete(uuid);
    return { status: 204 };
  }

  #provision(body: Asked['body']): Answer {
    const uuid = String(body.uuid);
    const grant = (body.oauth_grant ?? {}) as Readonly<Record<string, unknown>>;
    const made: Resource = {
      plan: String(body.plan),
      name: String(body.name),
      callback: String(body.callback_url),
      code: String(grant.code),
    };
    this.resources.set(uuid, made);
    const message = this.message === null ? {} : { message: this.message };
    if (this.isAsync) return { status: 202, body: { id: uuid, ...message } };
    return { status: 200, body: { id: uuid, config: { REDIS_URL: urlOf(uuid, made.plan) }, ...message } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What a provider sets for an add-on of this plan. */
export function urlOf(uuid: string, plan = 'mini'): string {
  return `redis://${plan}.${uuid.slice(0, 8)}.example.com`;
}
