import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Builds, GitAsker } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Releases } from '../../src/shell/releases.ts';
import type { AppRepos } from './app-repos.ts';
import { deployPush, describeError } from './deploy-push.ts';
import { hangUp, refuseUpload } from './end-push.ts';
import { exchange, protocolEnv, start } from './git-http.ts';
import { exitStatus, spawnGit, tryGit } from './git-process.ts';
import { readPush } from './push-hook.ts';

export type PushParts = {
  readonly repos: AppRepos;
  readonly host: Pick<PeerHost, 'view'>;
  readonly blobs: Blobs;
  readonly builds: Pick<Builds, 'run'>;
  readonly releases: Pick<Releases, 'finish'>;
  readonly log: Logger;
};

const PUSH_BYTES_MAX = 1024 ** 3;

/** What the hook of one push asks through, and what it must be answered to let the push pass. */
type Hook = { readonly socket: Duplex; readonly verdict: string };

/**
 * Receives a pack into git's quarantine; the hook then asks us. From there on the push no longer depends on its
 * client: a build that has begun is released, and the ref moved, even if the client is gone, or may not push any more.
 */
export async function receivePush(
  parts: PushParts,
  request: IncomingMessage,
  response: ServerResponse,
  asker: GitAsker,
): Promise<void> {
  const { repos, log } = parts;
  const { app, user, ended } = asker;
  const repo = await repos.ensure(app);
  const verdict = randomBytes(16).toString('hex');
  const git = spawnGit(repo, [...settings(repos.hooks), 'receive-pack', '--stateless-rpc', repo], {
    env: { ...protocolEnv(request), KITH_VERDICT: verdict },
    stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
  });
  const exit = exitStatus(git);
  const socket = git.stdio[3];
  if (!(socket instanceof Duplex)) throw new PlatformError('internal', 'Git has no channel to the agent');
  socket.on('error', (err) => log.debug({ app: app.id, err }, 'push hook broke off'));
  start(response, 'application/x-git-receive-pack-result');
  const upload = { request, response, git };
  ended.addEventListener('abort', () => refuseUpload(upload, ended), { once: true });
  const release = answerHook(parts, { socket, verdict }, repo, asker, () => hangUp(upload));
  try {
    await exchange(request, response, git.stdin, git.stdout);
    const status = await exit;
    log.info({ app: app.id, user, status }, 'push ended');
  } finally {
    // The next push of this app may look at the refs only now that git has moved them.
    socket.destroy();
    const unlock = await release;
    await tryGit(repo, ['-c', 'gc.autoDetach=false', 'gc', '--auto', '--quiet']);
    unlock();
  }
}

function settings(hooks: string): readonly string[] {
  const config = {
    'core.hooksPath': hooks,
    'receive.autogc': 'false',
    'receive.maxInputSize': String(PUSH_BYTES_MAX),
    'receive.denyDeleteCurrent': 'refuse',
  };
  return Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

/**
 * Resolves, when the verdict is out, with what ends this push's turn.
 * @param leave called where the pusher's right ends in the middle of a build, and they have been told
 */
async function answerHook(
  { repos, host, blobs, builds, releases, log }: PushParts,
  { socket, verdict }: Hook,
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
  const current = (id: App['id']): App | undefined => host.view().apps.get(id);
  let unlock = (): void => undefined;
  let isAccepted = false;
  try {
    if (repos.locks.isHeld(app.id)) say('Waiting for another push of this app to end...');
    unlock = await repos.locks.acquire(app.id);
    const now = current(app.id) ?? app;
    await repos.refresh(now);
    ended.throwIfAborted();
    const end = (): void => {
      say(` !     ${describeError(ended.reason)}. What has begun goes on.`);
      gone.abort();
      leave();
    };
    ended.addEventListener('abort', end, { once: true });
    const deploy = { repo, app: now, user, blobs, builds, releases, gone: gone.signal, current };
    isAccepted = await deployPush(deploy, push, say);
  } catch (err) {
    log.warn({ app: app.id, err }, 'push failed');
    say(` !     Push rejected, ${describeError(err)}`);
  }
  tell(`${verdict} ${isAccepted ? 'accept' : 'reject'}`);
  return unlock;
}
