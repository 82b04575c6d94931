import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for so long, or until `signal` aborts: whoever waits looks at it next. Never keeps the process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
