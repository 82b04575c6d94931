import type { DynoFact } from '../facts.ts';
import { runsAsWanted } from './census.ts';
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

/** True while an old dyno serves and its replacement is not up yet. */
export function isRolling(slot: WantedSlot, own: readonly DynoFact[]): boolean {
  const current = own.filter((fact) => runsAsWanted(fact, slot));
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
