import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from '../../src/errors.ts';
import type { ListenOptions } from './control.ts';
import { RouterProcess } from './router-process.ts';

/**
 * The router process: `node main.ts DIR LISTEN_OPTIONS_JSON`. It outlives the agent that started it, and goes on
 * serving by the last table while none is there. `node main.ts --compile` only leaves its modules in Node's cache.
 */
const [dir = '', optionsJson = '{}'] = process.argv.slice(2);
if (dir === '--compile') process.exit(0);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own agent
const options = JSON.parse(optionsJson) as ListenOptions;
const socketPath = join(dir, 'router', 'router.sock');
const GRACE_MS = 30_000;
const ORPHAN_CHECK_MS = 10_000;

const router = new RouterProcess(options);
try {
  await router.open(dir, socketPath);
} catch (error) {
  console.error(error instanceof PlatformError ? error.message : error);
  process.exitCode = 1;
  await router.fail(error);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => router.shutdown(GRACE_MS));
// The terminal that started the agent is of no concern.
process.on('SIGHUP', () => {});
// Without its socket no agent can ever reach it again: the data directory is gone.
setInterval(() => {
  if (!existsSync(socketPath)) router.shutdown(0);
}, ORPHAN_CHECK_MS).unref();
