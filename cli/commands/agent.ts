import { resolve } from 'node:path';
import type { Command } from '../lib/line/command.ts';
import { passThrough } from '../lib/heroku/pass-through.ts';
import type { World } from '../lib/line/world.ts';

// A smaller young generation: an agent is idle most of the time, and its memory is its host's.
const NODE_FLAGS = ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'];

const agent: Command = {
  details:
    'Its settings are flags, KITH_* variables or a file: `kith agent --help` lists them with their defaults.',
  runRaw: runAgent,
};
export default agent;

function runAgent(words: readonly string[], world: World): Promise<number> {
  const entry = resolve(import.meta.dirname, '../../agent/main.ts');
  return passThrough(process.execPath, [...NODE_FLAGS, entry, ...words], world);
}
