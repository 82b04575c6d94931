import type { DynoId } from '../ids.ts';
import { unitOf } from '../prng.ts';

const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 300_000;

/** A dyno that has been up for so long has left its crashes behind. */
export const CRASHES_FORGIVEN_MS = 600_000;

/**
 * How long a crashed dyno rests before it starts again: the first time not at all, then 1 s, doubling up to 5 min.
 * @param crashes consecutive crashes, this one included
 * @param dyno gives each dyno its own jitter of ±20 %, so that dynos that fell together do not start together
 */
export function restartDelayMs(crashes: number, dyno: DynoId): number {
  if (crashes <= 1) return 0;
  const base = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** (crashes - 2));
  return Math.min(DELAY_MS_MAX, Math.round(base * (0.8 + 0.4 * unitOf(dyno))));
}
