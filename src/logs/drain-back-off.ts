const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 300_000;

/**
 * How long a drain waits before it tries its receiver again: 1 s, doubling up to 5 min, of that a random half or more, so
 * that the drains of a cluster do not come back to a receiver all at once.
 * @param failures in a row, this one included
 * @param unit random, 0 to 1
 */
export function drainDelayMs(failures: number, unit: number): number {
  const base = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** (Math.min(failures, 30) - 1));
  return Math.round(base * (0.5 + unit / 2));
}
