import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from '../lib/command.ts';
import type { World } from '../lib/world.ts';

// A smaller young generation: an agent is idle most of the time, and its memory is its host's.
const NODE_FLAGS = ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'];

const agent: Command = {
  details:
    'Its settings are flags, KITH_* variables or a file: `kith agent --help` lists them with their defaults.',
  runRaw: runAgent,
};
export default agent;

/** Runs the agent as our child, passing its words, terminal and signals through, and its end back. */
async function runAgent(words: readonly string[], world: World): Promise<number> {
  const entry = resolve(import.meta.dirname, '../../agent/main.ts');
  const env = { ...world.env };
  const child = spawn(process.execPath, [...NODE_FLAGS, entry, ...words], {
    cwd: world.cwd,
    env,
    stdio: 'inherit',
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  // At a terminal, Ctrl-C reaches parent and child alike: passed on, it would be the second one, which means "at once".
  const isAtTerminal = [world.stdin, world.stdout, world.stderr].some((stream) => stream.isTTY === true);
  process.on('SIGINT', isAtTerminal ? () => undefined : forward);
  process.on('SIGTERM', forward);
  process.on('SIGHUP', forward);
  const { promise, resolve: settle, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('exit', (status, signal) =>
    settle(status ?? 128 + (signal === null ? 0 : constants.signals[signal])),
  );
  return promise;
}
