import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../line/cli-error.ts';

/**
 * Looks until `look` returns something, and returns it.
 * @throws CliError once `withinMs` have passed
 */
export async function poll<T>(
  look: () => Promise<T | null>,
  {
    everyMs,
    withinMs,
    lateMessage,
    hint,
  }: { everyMs: number; withinMs: number; lateMessage: string; hint?: string },
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new CliError(lateMessage, { hint });
    await sleep(everyMs);
  }
}
