import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { PlatformError } from '../../src/errors.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { GitAsker, GitServer } from '../../src/shell/builds.ts';
import { AppRepos, type AppReposOptions } from './app-repos.ts';
import { exchange, parseService, protocolEnv, start, type Service } from './git-http.ts';
import { spawnGit } from './git-process.ts';
import { receivePush, type PushParts } from './receive-push.ts';
import { missingProgram } from '../lib/missing-program.ts';

export type GitServerOptions = AppReposOptions & Omit<PushParts, 'repos'>;

/** Opens the git server of this peer: real git behind smart HTTP, one bare repository per app. */
export async function openGit(options: GitServerOptions): Promise<GitServer> {
  return new SmartHttp({ ...options, repos: await AppRepos.open(options) });
}

class SmartHttp implements GitServer {
  readonly #parts: PushParts;

  constructor(parts: PushParts) {
    this.#parts = parts;
  }

  async handle(request: IncomingMessage, response: ServerResponse, asker: GitAsker): Promise<void> {
    const { app, ended } = asker;
    response.on('error', (err) => this.#parts.log.debug({ app: app.id, err }, 'git client left'));
    try {
      ended.throwIfAborted();
      const url = new URL(request.url ?? '/', 'http://peer');
      const path = url.pathname.replace(/^.*?\.git(?=\/)/, '');
      if (request.method === 'GET' && path === '/info/refs') {
        const service = parseService(url.searchParams.get('service'));
        return await this.#advertise(service, request, response, asker);
      }
      if (request.method === 'POST' && path === '/git-upload-pack')
        return await this.#fetch(request, response, asker);
      if (request.method === 'POST' && path === '/git-receive-pack')
        return await receivePush(this.#parts, request, response, asker);
      throw new PlatformError('not_found', `Git has no "${request.method ?? ''} ${path}"`);
    } catch (error) {
      this.#fail(response, error, app);
    }
  }

  /** Tells the refs as the latest push at any peer left them; while a push is under way here, as it found them. */
  async #advertise(
    service: Service,
    request: IncomingMessage,
    response: ServerResponse,
    { app, ended }: GitAsker,
  ): Promise<void> {
    const { repos } = this.#parts;
    const repo = await repos.ensure(app);
    if (!repos.locks.isHeld(app.id)) {
      const release = await repos.locks.acquire(app.id);
      try {
        await repos.refresh(app);
      } finally {
        release();
      }
    }
    const git = spawnGit(repo, [service, '--stateless-rpc', '--advertise-refs', repo], {
      env: protocolEnv(request),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    start(response, `application/x-git-${service}-advertisement`);
    const title = `# service=git-${service}\n`;
    response.write(`${(title.length + 4).toString(16).padStart(4, '0')}${title}0000`);
    if (git.stdout !== null) await pipeline(git.stdout, response, { signal: ended });
  }

  /** Of what the request for the refs brought up to date. */
  async #fetch(request: IncomingMessage, response: ServerResponse, { app, ended }: GitAsker): Promise<void> {
    const repo = await this.#parts.repos.ensure(app);
    const git = spawnGit(repo, ['upload-pack', '--stateless-rpc', repo], {
      env: protocolEnv(request),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    response.on('close', () => git.kill('SIGTERM'));
    ended.addEventListener('abort', () => response.destroy(), { once: true });
    start(response, 'application/x-git-upload-pack-result');
    await exchange(request, response, git.stdin, git.stdout);
  }

  #fail(response: ServerResponse, error: unknown, app: App): void {
    const known = error instanceof PlatformError ? error : missingProgram(error);
    if (known === null || known.status >= 500)
      this.#parts.log.warn({ app: app.id, err: error }, 'git request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const text = known === null ? 'Something went wrong on this peer; its log says what.' : known.message;
    response
      .writeHead(known?.status ?? 500, { 'content-type': 'text/plain; charset=utf-8' })
      .end(`${text}\n${known?.hint === undefined ? '' : `${known.hint}\n`}`);
  }
}
