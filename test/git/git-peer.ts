import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { openGit } from '../../agent/git/git-server.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import { openBuildPeer, writeFiles, type BuildPeer, type Files } from '../builds/build-peer.ts';
import type { FakeHost } from '../builds/fake-host.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import type { MemoryMesh } from '../slugs/memory-mesh.ts';
import { peerId } from '../slugs/memory-mesh.ts';

export type GitPeer = BuildPeer & {
  readonly url: (app: App) => string;
  /** Pushes whose body has begun to come, and those of them whose client has left before the answer's end. */
  readonly pushes: { begun: number; left: number };
};

/** One peer with a git server on a real port; peers of one test share ledger and mesh. */
export async function openGitPeer(
  name: string,
  host: FakeHost,
  mesh: MemoryMesh,
  others: readonly string[] = [],
  ended: AbortSignal = new AbortController().signal,
): Promise<GitPeer> {
  const ids = others.map(peerId);
  const peer = await openBuildPeer({ peersForReplication: () => ids }, mesh, name, host);
  const git = await openGit({
    dir: peer.dir,
    host,
    blobs: peer.blobs,
    builds: peer.builds,
    releases: { finish: async () => ({ isReleased: true, postdeploy: null }) },
    log: pino({ level: 'silent' }),
    gitHolders: () => ids,
  });
  const pushes = { begun: 0, left: 0 };
  const server = createServer((request, response) => {
    if (request.method === 'POST' && request.url?.endsWith('/git-receive-pack') === true) {
      pushes.begun += 1;
      response.once('close', () => (pushes.left += response.writableFinished ? 0 : 1));
    }
    const app = [...host.view().apps.values()].find(({ name }) => request.url?.startsWith(`/${name}.git/`));
    if (app === undefined) response.writeHead(404).end();
    else void git.handle(request, response, { app, user: 'me@example.com', ended });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  const { port } = address;
  return {
    ...peer,
    pushes,
    url: (app) => `http://127.0.0.1:${port}/${app.name}.git`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await peer[Symbol.asyncDispose]();
    },
  };
}

export type Git = (...args: readonly string[]) => Promise<{ status: number; output: string }>;

/** A working copy with git in it; `output` is what a person sees, both streams. */
export async function workingCopy(): Promise<
  { path: string; git: Git; commit: (files: Files) => Promise<string> } & AsyncDisposable
> {
  const dir = await tempDir();
  const env = {
    PATH: process.env['PATH'],
    HOME: dir.path,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Me',
    GIT_AUTHOR_EMAIL: 'me@example.com',
    GIT_COMMITTER_NAME: 'Me',
    GIT_COMMITTER_EMAIL: 'me@example.com',
  };
  const cwd = join(dir.path, 'work');
  const git: Git = (...args) =>
    new Promise((resolve) => {
      execFile('git', [...args], { cwd, env, maxBuffer: 16e6 }, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ status, output: stdout + stderr });
      });
    });
  await promisify(execFile)('git', ['init', '-q', '-b', 'main', cwd], { env });
  return {
    path: cwd,
    git,
    async commit(files) {
      await writeFiles(cwd, files);
      await git('add', '-A');
      await git('commit', '-q', '--allow-empty', '-m', 'change');
      return (await git('rev-parse', 'HEAD')).output.trim();
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}
