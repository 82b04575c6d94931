import { dutiesIn, type Duty } from '../ledger/duties.ts';
import { homeOfKey } from './commands-part.ts';
import type { Work } from './work.ts';

/**
 * Tells the shell which duties are this peer's, whenever that changes. For a moment two peers may hold one (each thinks
 * the other gone) or none (the home has died and is not known to be dead); at rest exactly one does.
 */
export function shareDuties(work: Work): void {
  const { state } = work;
  // A peer that has just started would take every peer for dead that it has not heard of yet.
  if (state.placeFrom !== null && !state.stopping) return;
  const from = [state.fold.view, state.connected, state.verdictChanges, state.stopping];
  if (from.every((part, i) => part === state.dutiesFrom[i])) return;
  if (from.slice(1).some((part, i) => part !== state.dutiesFrom[i + 1])) state.dutyHomes = new Map();
  state.dutiesFrom = from;
  const all = state.stopping ? [] : dutiesIn(state.fold.view);
  const homes = new Map(all.map(({ key }) => [key, state.dutyHomes.get(key) ?? homeOfKey(work, key)]));
  state.dutyHomes = homes;
  const own = all.filter(({ key }) => homes.get(key) === state.self);
  if (isSame(own, state.duties)) return;
  state.duties = own;
  work.effects.push({ tag: 'duties', duties: own });
}

function isSame(a: readonly Duty[], b: readonly Duty[]): boolean {
  const keys = new Set(b.map(({ key }) => key));
  return a.length === b.length && a.every(({ key }) => keys.has(key));
}
