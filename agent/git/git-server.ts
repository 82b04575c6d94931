import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId, PeerId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Builds, GitAsker, GitServer } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Releases } from '../../src/shell/releases.ts';
import { AppLocks } from './app-lock.ts';
import { ensureRepo, refreshRepo } from './app-repo.ts';
import { deployPush, describeError } from './deploy-push.ts';
import { exitStatus, spawnGit, tryGit } from './git-process.ts';
import { hangUp, refuseUpload } from './end-push.ts';
import { exchange, parseService, protocolEnv, start, type Service } from './git-http.ts';
import { readPush, writeHooks } from './push-hook.ts';
import { missingProgram } from '../lib/missing-program.ts';

export type GitServerOptions = {
  /** DIR, the peer's data directory: repositories live in DIR/git. */
  readonly dir: string;
  readonly host: Pick<PeerHost, 'view'>;
  readonly blobs: Blobs;
  readonly builds: Pick<Builds, 'run'>;
  readonly releases: Pick<Releases, 'finish'>;
  readonly log: Logger;
  /** Peers that may hold this blob, the likeliest first. */
  readonly gitHolders: (blob: BlobId) => readonly PeerId[];
};

const BUNDLE_FETCH_MS = 2 * 60_000;
const PUSH_BYTES_MAX = 1024 ** 3;

/** Opens the git server of this peer: real git behind smart HTTP, one bare repository per app. */
export async function openGit(options: GitServerOptions): Promise<GitServer> {
  const root = join(options.dir, 'git');
  await mkdir(root, { recursive: true, mode: 0o700 });
  await writeHooks(join(root, 'hooks'));
  return new SmartHttp(options, root);
}

class SmartHttp implements GitServer {
  readonly #options: GitServerOptions;
  readonly #root: string;
  readonly #log: Logger;
  readonly #locks = new AppLocks();
  /** Repositories known to exist, or being made. */
  readonly #repos = new Map<string, Promise<void>>();

  constructor(options: GitServerOptions, root: string) {
    this.#options = options;
    this.#root = root;
    this.#log = options.log;
  }

  async handle(request: IncomingMessage, response: ServerResponse, asker: GitAsker): Promise<void> {
    const { app, ended } = asker;
    response.on('error', (err) => this.#log.debug({ app: app.id, err }, 'git client left'));
    try {
      ended.throwIfAborted();
      const url = new URL(request.url ?? '/', 'http://peer');
      const path = url.pathname.replace(/^.*?\.git(?=\/)/, '');
      const repo = join(this.#root, `${app.id}.git`);
      if (request.method === 'GET' && path === '/info/refs') {
        return await this.#advertise(
          parseService(url.searchParams.get('service')),
          request,
          response,
          repo,
          asker,
        );
      }
      if (request.method === 'POST' && path === '/git-upload-pack')
        return await this.#fetch(request, response, repo, ended);
      if (request.method === 'POST' && path === '/git-receive-pack')
        return await this.#push(request, response, repo, asker);
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
    repo: string,
    { app, ended }: GitAsker,
  ): Promise<void> {
    await this.#ensure(repo);
    if (!this.#locks.isHeld(app.id)) {
      const release = await this.#locks.acquire(app.id);
      try {
        await this.#refresh(repo, app);
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

  async #fetch(
    request: IncomingMessage,
    response: ServerResponse,
    repo: string,
    ended: AbortSignal,
  ): Promise<void> {
    const git = spawnGit(repo, ['upload-pack', '--stateless-rpc', repo], {
      env: protocolEnv(request),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    response.on('close', () => git.kill('SIGTERM'));
    ended.addEventListener('abort', () => response.destroy(), { once: true });
    start(response, 'application/x-git-upload-pack-result');
    await exchange(request, response, git.stdin, git.stdout);
  }

  /**
   * Receives a pack into git's quarantine; the hook then asks us. From there on the push no longer depends on its
   * client: a build that has begun is released, and the ref moved, even if the client is gone, or may not push any more.
   */
  async #push(
    request: IncomingMessage,
    response: ServerResponse,
    repo: string,
    asker: GitAsker,
  ): Promise<void> {
    const { app, user, ended } = asker;
    await this.#ensure(repo);
    const verdict = randomBytes(16).toString('hex');
    const config = {
      'core.hooksPath': join(this.#root, 'hooks'),
      'receive.autogc': 'false',
      'receive.maxInputSize': String(PUSH_BYTES_MAX),
      'receive.denyDeleteCurrent': 'refuse',
    };
    const flags = Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const git = spawnGit(repo, [...flags, 'receive-pack', '--stateless-rpc', repo], {
      env: { ...protocolEnv(request), KITH_VERDICT: verdict },
      stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
    });
    const exit = exitStatus(git);
    const socket = git.stdio[3];
    if (!(socket instanceof Duplex)) throw new PlatformError('internal', 'Git has no channel to the agent');
    socket.on('error', (err) => this.#log.debug({ app: app.id, err }, 'push hook broke off'));
    start(response, 'application/x-git-receive-pack-result');
    const upload = { request, response, git };
    ended.addEventListener('abort', () => refuseUpload(upload, ended), { once: true });
    const release = this.#decide(socket, verdict, repo, asker, () => hangUp(upload));
    try {
      await exchange(request, response, git.stdin, git.stdout);
      const status = await exit;
      this.#log.info({ app: app.id, user, status }, 'push ended');
    } finally {
      // The next push of this app may look at the refs only now that git has moved them.
      socket.destroy();
      const unlock = await release;
      await tryGit(repo, ['-c', 'gc.autoDetach=false', 'gc', '--auto', '--quiet']);
      unlock();
    }
  }

  /**
   * Answers the hook. Resolves, when the verdict is out, with what ends this push's turn.
   * @param leave called where the pusher's right ends in the middle of a build, and they have been told
   */
  async #decide(
    socket: Duplex,
    verdict: string,
    repo: string,
    { app, user, ended }: GitAsker,
    leave: () => void,
  ): Promise<() => void> {
    const push = await readPush(socket);
    if (push === null) return () => undefined;
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    const tell = (line: string): void => {
      if (!socket.destroyed) socket.write(`${line}\n`);
    };
    const say = (line: string): void => {
      if (!gone.signal.aborted) tell(line);
    };
    let unlock = (): void => undefined;
    let isAccepted = false;
    try {
      if (this.#locks.isHeld(app.id)) say('Waiting for another push of this app to end...');
      unlock = await this.#locks.acquire(app.id);
      const now = this.#options.host.view().apps.get(app.id) ?? app;
      await this.#refresh(repo, now);
      const { blobs, builds, releases, host } = this.#options;
      ended.throwIfAborted();
      const end = (): void => {
        say(` !     ${describeError(ended.reason)}. What has begun goes on.`);
        gone.abort();
        leave();
      };
      ended.addEventListener('abort', end, { once: true });
      const parts = {
        repo,
        app: now,
        user,
        blobs,
        builds,
        releases,
        gone: gone.signal,
        current: (id: App['id']) => host.view().apps.get(id),
      };
      isAccepted = await deployPush(parts, push, say);
    } catch (err) {
      this.#log.warn({ app: app.id, err }, 'push failed');
      say(` !     Push rejected, ${describeError(err)}`);
    }
    tell(`${verdict} ${isAccepted ? 'accept' : 'reject'}`);
    return unlock;
  }

  async #ensure(repo: string): Promise<void> {
    const ready = this.#repos.get(repo) ?? ensureRepo(repo);
    this.#repos.set(repo, ready);
    try {
      await ready;
    } catch (error) {
      this.#repos.delete(repo);
      throw error;
    }
  }

  /** Refuses where the history cannot be had: on an older one a push could undo what another peer released. */
  async #refresh(repo: string, app: App): Promise<void> {
    const { blobs, gitHolders } = this.#options;
    const fetch = (bundle: BlobId): Promise<void> =>
      blobs.fetch(bundle, gitHolders(bundle), AbortSignal.timeout(BUNDLE_FETCH_MS));
    try {
      await refreshRepo(repo, app, blobs, fetch);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new PlatformError(
        'unavailable',
        `Cannot bring the history of "${app.name}" up to date: ${reason}`,
        {
          cause,
          hint: 'Try again when a peer that holds it is back',
        },
      );
    }
  }

  #fail(response: ServerResponse, error: unknown, app: App): void {
    const known = error instanceof PlatformError ? error : missingProgram(error);
    if (known === null || known.status >= 500)
      this.#log.warn({ app: app.id, err: error }, 'git request failed');
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
