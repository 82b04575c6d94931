import pino from 'pino';
import { openStore } from '../../agent/store/store.ts';
import { storedOp } from './ops.ts';

// Run as a child process: appends ops from a sequence number on, many at a time, and prints each number once its
// append resolved. It ends when it is killed, or at the first write that fails, printing that error's code.
const [dir = '', from = '0'] = process.argv.slice(2);
const store = await openStore(dir, pino({ level: 'silent' }));
let next = Number(from);

async function writeOn(): Promise<void> {
  for (;;) {
    const seq = next;
    next += 1;
    await store.append([storedOp(seq, { text: `op ${seq} ${'x'.repeat(seq % 5000)}` })]);
    process.stdout.write(`${seq}\n`);
  }
}

try {
  await Promise.all(Array.from({ length: 16 }, writeOn));
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  process.stdout.write(`failed ${code}\n`, () => process.exit(3));
}
