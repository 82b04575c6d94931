import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 50;

/** Waits until it holds, but no longer than so; rejects when `signal` aborts. @returns whether it holds */
export async function until(holds: () => boolean, withinMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) return false;
    await sleep(LOOK_MS, undefined, { signal });
  }
  return true;
}
