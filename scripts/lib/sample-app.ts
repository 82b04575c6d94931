import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT, type AgentProcess } from './agent-process.ts';
import { must, run } from './kith.ts';

const PUSH_MS = 300_000;
const AUTHOR = ['-c', 'user.name=Kith', '-c', 'user.email=kith@localhost', '-c', 'init.defaultBranch=main'];
const CREDENTIAL = `credential.helper=!f() { echo username=kith; echo "password=$KITH_TOKEN"; }; f`;

/** The bundled sample app as a git repository of its own, with one commit. */
export async function checkOutSample(to: string): Promise<void> {
  const from = join(ROOT, 'samples', 'hello');
  cpSync(from, to, { recursive: true, filter: (path) => !path.includes('node_modules') });
  must(await run('git', ['init', '-q', '-b', 'main'], { cwd: to }));
  await commitAll(to, 'Hello');
}

export async function commitAll(repo: string, message: string): Promise<void> {
  must(await run('git', [...AUTHOR, 'add', '-A'], { cwd: repo }));
  must(await run('git', [...AUTHOR, 'commit', '-q', '-m', message], { cwd: repo }));
}

/** `git push` to one peer, as a person does it; what git prints goes to `onLine` as it comes. */
export async function push(
  repo: string,
  agent: AgentProcess,
  app: string,
  onLine: (line: string) => void = () => {},
): Promise<void> {
  const token = readFileSync(agent.token, 'utf8').trim();
  const config = ['-c', 'credential.helper=', '-c', CREDENTIAL];
  const git = spawn('git', [...config, 'push', `${agent.ready.api}/${app}.git`, 'HEAD:main'], {
    cwd: repo,
    env: { ...process.env, KITH_TOKEN: token, GIT_TERMINAL_PROMPT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: AbortSignal.timeout(PUSH_MS),
  });
  const said: string[] = [];
  createInterface({ input: git.stderr }).on('line', (line) => {
    said.push(line.trimEnd());
    onLine(line.trimEnd());
  });
  const [status] = (await once(git, 'close')) as [number | null];
  if (status !== 0) throw new Error(`git push ended with status ${status}: ${said.slice(-5).join('; ')}`);
}
