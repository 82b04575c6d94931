import type { DynoFact } from '../facts.ts';
import { isClaim, runsAsWanted } from './census.ts';
import type { PlacementAction, WantedSlot } from './types.ts';

/** So many slots of one app change their generation at a time on one peer. */
export const ROLLING_MAX = 2;

/**
 * Brings our dynos of one slot to the wanted generation, start-first: the old one serves until its replacement is up.
 * @param own our dynos in the slot, those on their way out left out
 * @param mayRoll false when enough of the app's slots are changing already, or the slot is about to leave this peer
 */
export function renewSlot(
  slot: WantedSlot,
  own: readonly DynoFact[],
  mayRoll: boolean,
): readonly PlacementAction[] {
  const best = own.filter((fact) => runsAsWanted(fact, slot)).sort(compareProgress)[0];
  const olds = own.filter((fact) => fact !== best);
  if (best?.phase === 'up') return olds.map((old) => stop(old, runsAsWanted(old, slot)));
  const serving = olds.find((fact) => fact.phase === 'up');
  // Replacements that were overtaken before they were up, and whatever crashed: nobody misses them.
  const stops = olds.filter((old) => old !== serving).map((old) => stop(old, runsAsWanted(old, slot)));
  if (best !== undefined) return stops;
  if (serving !== undefined && !mayRoll) return stops;
  const replaces = (serving ?? olds[0])?.dyno ?? null;
  return [{ tag: 'start', slot, replaces }, ...stops];
}

/**
 * The same for a slot with a volume, which two dynos must not write at once: the old one goes first, and the slot is open
 * once it is gone.
 */
export function renewStopFirst(
  slot: WantedSlot,
  own: readonly DynoFact[],
  mayRoll: boolean,
): readonly PlacementAction[] {
  const best = own.filter((fact) => runsAsWanted(fact, slot)).sort(compareProgress)[0];
  const olds = own.filter((fact) => fact !== best);
  const isSpared = (fact: DynoFact): boolean => best === undefined && !mayRoll && fact.phase === 'up';
  return olds.filter((old) => !isSpared(old)).map((old) => stop(old, runsAsWanted(old, slot)));
}

/**
 * True while an old dyno serves and its replacement is not up yet; or, where the old one goes first, while one goes or
 * comes and none is up.
 * @param own our dynos in the slot, those on their way out too
 */
export function isRolling(slot: WantedSlot, own: readonly DynoFact[]): boolean {
  if (slot.volumes.length > 0) {
    return own.some(({ phase }) => phase !== 'crashed') && own.every(({ phase }) => phase !== 'up');
  }
  const current = own.filter((fact) => isClaim(fact) && runsAsWanted(fact, slot));
  const hasServingOld = own.some((fact) => fact.phase === 'up' && !runsAsWanted(fact, slot));
  return hasServingOld && current.length > 0 && current.every((fact) => fact.phase !== 'up');
}

const PROGRESS = { up: 0, starting: 1, fetching: 2, crashed: 3, draining: 4, stopping: 5 } as const;

function compareProgress(a: DynoFact, b: DynoFact): number {
  return PROGRESS[a.phase] - PROGRESS[b.phase] || (a.dyno < b.dyno ? -1 : 1);
}

function stop({ dyno, slot }: DynoFact, isTwin: boolean): PlacementAction {
  return { tag: 'stop', dyno, slot, why: isTwin ? 'duplicate' : 'replaced' };
}
