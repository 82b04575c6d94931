import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { markedProcesses, signalAll } from './process-tree.ts';

const SWEEP_ROUNDS_MAX = 300;

/** Waits for the keeper's end of the pipe to close, which the kernel does however the keeper dies, then kills. */
const SCRIPT = `
cat >/dev/null
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
  for file in $(grep -lsaF "$1" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -KILL "\${pid%/environ}" 2>/dev/null
  done
done
`;

/**
 * Dynos without a namespace do not die with the keeper by themselves. A shell that does nothing but wait for the
 * keeper's end kills those that bear its mark, and is started again should it die first.
 * @param marker `NAME=value`, or its beginning, in the environment of all such dynos
 */
export function startWarden(marker: string): void {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'kith-warden', marker], {
    detached: true,
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.on('error', () => {});
  child.on('error', (error) => console.error('cannot start a warden', error.message));
  child.on('exit', () => setTimeout(startWarden, 1_000, marker).unref());
  child.unref();
}

/** Ends dynos of a former keeper that nobody owns any more. */
export async function killUnowned(marker: string): Promise<void> {
  for (let round = 0; round < SWEEP_ROUNDS_MAX; round += 1) {
    const found = markedProcesses(marker);
    if (found.length === 0) return;
    signalAll(found, 'SIGKILL');
    await sleep(10);
  }
}
