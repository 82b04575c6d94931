import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { must, run, type Ran } from '../../scripts/lib/kith.ts';
import type { Peer } from './peer.ts';

const PUSH_MS = 300_000;
const AS_SOMEBODY = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
// A helper that git runs itself, so that the token is in no argument and no file.
const AS_KITH = [
  '-c',
  'credential.helper=',
  '-c',
  'credential.helper=!f() { echo username=kith; echo "password=$KITH_TOKEN"; }; f',
];

/** A developer's git repository. */
export class Repo {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** One commit on `main`: these files, on top of a folder's if one is named. */
  static async create(dir: string, files: Readonly<Record<string, string>>, from?: string): Promise<Repo> {
    const repo = new Repo(dir);
    if (from !== undefined)
      cpSync(from, dir, { recursive: true, filter: (path) => !path.includes('node_modules') });
    mkdirSync(dir, { recursive: true });
    await repo.git('init', '-q', '-b', 'main');
    await repo.commit(files);
    return repo;
  }

  /** Writes files, or removes those that are null, and commits everything. @returns the commit */
  async commit(files: Readonly<Record<string, string | null>>): Promise<string> {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.dir, name);
      mkdirSync(dirname(path), { recursive: true });
      if (content === null) rmSync(path);
      else writeFileSync(path, content);
    }
    await this.git('add', '-A');
    await this.git(...AS_SOMEBODY, 'commit', '-q', '-m', 'A change');
    return (await this.git('rev-parse', 'HEAD')).trim();
  }

  async git(...args: readonly string[]): Promise<string> {
    return must(await run('git', args, { cwd: this.dir })).stdout;
  }

  /** Pushes to this peer, which may refuse: see `must`. What git and the peer said is in `stderr`. */
  push(peer: Peer, app: string, refspec = 'HEAD:main'): Promise<Ran> {
    return peer.inStep(() =>
      run('git', [...AS_KITH, 'push', `${peer.api}/${app}.git`, refspec], {
        cwd: this.dir,
        env: this.#env(peer),
        withinMs: PUSH_MS,
      }),
    );
  }

  /** Pushes, and hands on each line as it comes. @returns all that was said */
  startPush(
    peer: Peer,
    app: string,
    onLine: (line: string) => void,
    { token } = { token: peer.token },
  ): Promise<string> {
    return peer.inStep(() => this.#pushAndTell(peer, app, onLine, token));
  }

  async #pushAndTell(
    peer: Peer,
    app: string,
    onLine: (line: string) => void,
    token: string,
  ): Promise<string> {
    const push = spawn('git', [...AS_KITH, 'push', `${peer.api}/${app}.git`, 'HEAD:main'], {
      cwd: this.dir,
      env: { ...process.env, ...this.#env({ token }) },
      stdio: ['ignore', 'ignore', 'pipe'],
      signal: AbortSignal.timeout(PUSH_MS),
    });
    const said: string[] = [];
    createInterface({ input: push.stderr }).on('line', (line) => {
      said.push(line);
      onLine(line);
    });
    await once(push, 'close');
    return said.join('\n');
  }

  /** What refs this peer holds, one a line. */
  async refsAt(peer: Peer, app: string): Promise<string> {
    const args = [...AS_KITH, 'ls-remote', `${peer.api}/${app}.git`];
    return peer.inStep(
      async () => must(await run('git', args, { cwd: this.dir, env: this.#env(peer) })).stdout,
    );
  }

  #env(peer: Pick<Peer, 'token'>): Readonly<Record<string, string>> {
    return { KITH_TOKEN: peer.token, GIT_TERMINAL_PROMPT: '0' };
  }
}
