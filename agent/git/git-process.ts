import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { PlatformError } from '../../src/errors.ts';

/** Where a push's objects are before it is accepted. */
export type Quarantine = { readonly objects: string; readonly alternates: string };

const GIT_MS = 60_000;

/**
 * Starts git on a repository with nothing of the agent's environment or anybody's configuration.
 * @param quarantine lets it see objects of a push that is not yet accepted
 */
export function spawnGit(
  repo: string,
  args: readonly string[],
  { quarantine, env = {}, stdio = 'pipe' }: GitOptions = {},
): ChildProcess {
  return spawn('git', ['--git-dir', repo, ...args], {
    cwd: '/',
    stdio,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: '/nonexistent',
      LC_ALL: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...(quarantine === undefined
        ? {}
        : {
            GIT_OBJECT_DIRECTORY: quarantine.objects,
            GIT_ALTERNATE_OBJECT_DIRECTORIES: quarantine.alternates,
          }),
      ...env,
    },
  });
}

export type GitOptions = {
  readonly quarantine?: Quarantine;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: StdioOptions;
};

/**
 * Runs git to its end.
 * @returns what it printed; null when it ended with another status than 0
 */
export async function tryGit(
  repo: string,
  args: readonly string[],
  quarantine?: Quarantine,
): Promise<string | null> {
  const child = spawnGit(repo, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    ...(quarantine === undefined ? {} : { quarantine }),
  });
  const late = setTimeout(() => child.kill('SIGKILL'), GIT_MS);
  try {
    const status = exitStatus(child);
    const output = child.stdout === null ? '' : await text(child.stdout);
    return (await status) === 0 ? output.trim() : null;
  } finally {
    clearTimeout(late);
  }
}

/** As `tryGit`, for what only a broken repository can make fail. */
export async function mustGit(
  repo: string,
  args: readonly string[],
  quarantine?: Quarantine,
): Promise<string> {
  const output = await tryGit(repo, args, quarantine);
  if (output !== null) return output;
  throw new PlatformError('internal', `git ${args[0] ?? ''} failed in "${repo}"`);
}

/** Resolves when the process has ended and its pipes are closed; null when a signal ended it. */
export function exitStatus(child: ChildProcess): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', resolve);
  // Whoever asks hears of it; nobody having asked yet is no fault.
  promise.catch(() => undefined);
  return promise;
}
