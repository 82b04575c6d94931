import type { World } from '../line/world.ts';

const GIT_MS_MAX = 10_000;
// The list of files of a large repository.
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Runs git in the folder of the command. Null when it fails: no repository, no such key, no git at all. */
export async function git(world: World, ...args: readonly string[]): Promise<string | null> {
  const { execFile } = await import('node:child_process');
  const options = { cwd: world.cwd, env: { ...world.env }, timeout: GIT_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
  return new Promise((resolve) => {
    execFile('git', [...args], options, (error, stdout) => resolve(error === null ? stdout.trimEnd() : null));
  });
}

/** The app that a remote pushes to, by its URL. */
export async function remoteApp(world: World, remote: string): Promise<string | null> {
  const url = await git(world, 'config', '--get', `remote.${remote}.url`);
  return url === null ? null : (/\/([^/]+?)(?:\.git)?\/?$/.exec(url)?.[1] ?? null);
}

export async function isGitRepository(world: World): Promise<boolean> {
  return (await git(world, 'rev-parse', '--git-dir')) !== null;
}

/** Points a remote to a URL, adding it where there is none. */
export async function setRemote(world: World, remote: string, url: string): Promise<void> {
  const added = await git(world, 'remote', 'add', remote, url);
  if (added === null) await git(world, 'remote', 'set-url', remote, url);
}

/** A remote of the repository of the folder. */
export interface Remote {
  readonly name: string;
  readonly url: string;
}

export async function listRemotes(world: World): Promise<readonly Remote[]> {
  const listed = (await git(world, 'config', '--get-regexp', String.raw`^remote\..*\.url$`)) ?? '';
  return listed.split('\n').flatMap((row) => {
    const [, name, url] = /^remote\.(.*)\.url (.*)$/.exec(row) ?? [];
    return name !== undefined && url !== undefined ? [{ name, url }] : [];
  });
}
