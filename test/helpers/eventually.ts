import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `check` returns something truthy (errors count as not yet), and returns it; fails at the deadline. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { withinMs = 20_000, everyMs = 20 }: { withinMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== false && value !== null && value !== undefined) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(
        `Not true within ${withinMs} ms: ${last instanceof Error ? last.message : String(last)}`,
        {
          cause: last,
        },
      );
    }
    await sleep(everyMs);
  }
}
