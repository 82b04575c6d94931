import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type AgentProcess } from './agent-process.ts';
import { must, run, type Ran } from './kith.ts';

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

/** `git push` to one peer, as a person does it. */
export async function push(repo: string, agent: AgentProcess, app: string): Promise<Ran> {
  const token = must(await run('cat', [agent.token])).stdout.trim();
  const args = [
    '-c',
    'credential.helper=',
    '-c',
    CREDENTIAL,
    'push',
    `${agent.ready.api}/${app}.git`,
    'HEAD:main',
  ];
  return must(await run('git', args, { cwd: repo, env: { KITH_TOKEN: token, GIT_TERMINAL_PROMPT: '0' } }));
}
