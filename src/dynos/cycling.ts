import { unitOf } from '../prng.ts';
import type { DynoLife } from './types.ts';

// A dyno is replaced after a day and up to 216 minutes, so that leaks and stale state never grow old.
// https://devcenter.heroku.com/articles/dyno-restarts#automatic-dyno-restarts
export const CYCLE_MS = 24 * 3_600_000;
export const CYCLE_JITTER_MS = 216 * 60_000;
/** While one dyno of an app is being replaced, the next one in line looks again after this. */
export const CYCLE_AGAIN_MS = 60_000;

/**
 * When this dyno is to be replaced for its age, mono ms; its id decides how late. Infinity unless it is up, and for one that
 * has a volume: it would have to end before the fresh one starts, and a database that nobody asked to restart does not.
 */
export function cycleAt({ dyno, slot, launchedAt, isCycling, state }: DynoLife): number {
  if (state.tag !== 'up' || isCycling || slot.volumes.length > 0) return Infinity;
  return launchedAt.mono + CYCLE_MS + Math.floor(unitOf(`${dyno} cycles`) * CYCLE_JITTER_MS);
}
