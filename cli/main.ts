import { processWorld } from './lib/line/world.ts';
import { runCli } from './lib/line/run-cli.ts';

// `kith logs | head` ends early: that is the reader's wish, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const status = await runCli(process.argv.slice(2), processWorld());
// What is written must be out before the exit; sockets kept alive for a next request must not delay it.
process.stdout.write('', () => process.exit(status));
