import { dutiesIn } from '../ledger/duties.ts';
import { type Duty } from '../ledger/duty.ts';
import { homeOfKey } from './commands-part.ts';
import type { DutiesFrom, PeerState } from './state.ts';
import type { Work } from './work.ts';

/**
 * Tells the shell which duties are this peer's, whenever that changes. For a moment two peers may hold one (each thinks
 * the other gone) or none (the home has died and is not known to be dead); at rest exactly one does.
 */
export function shareDuties(work: Work): void {
  const { state } = work;
  // A peer that has just started would take every peer for dead that it has not heard of yet.
  if (state.placeFrom !== null && !state.stopping) return;
  const before = state.dutiesFrom;
  const from = whatCounts(state);
  state.dutiesFrom = from;
  const [isSameView, ...others] = from.parts.map((part, i) => part === before.parts[i]);
  const areSamePeers = others.every(Boolean) && from.draining === before.draining;
  if (isSameView && areSamePeers) return;
  if (!areSamePeers) state.dutyHomes = new Map();
  const all = state.stopping ? [] : dutiesIn(state.fold.view);
  const homes = new Map(
    all.map(({ key }) => [key, state.dutyHomes.get(key) ?? homeOfKey(work, key, from.draining)]),
  );
  state.dutyHomes = homes;
  const own = all.filter(({ key }) => homes.get(key) === state.self);
  if (isSame(own, state.duties)) return;
  state.duties = own;
  work.effects.push({ tag: 'duties', duties: own });
}

function whatCounts(state: PeerState): DutiesFrom {
  const { fold, connected, verdictChanges, stopping, draining, facts, self, dutiesFrom: before } = state;
  const parts = [fold.view, connected, verdictChanges, stopping, draining];
  if (facts === before.facts && draining === before.parts[4]) return { ...before, parts };
  const now = new Set([...facts.values()].filter((each) => each.draining).map(({ peer }) => peer));
  if (draining) now.add(self);
  const isNews = now.size !== before.draining.size || [...now].some((peer) => !before.draining.has(peer));
  return { parts, facts, draining: isNews ? now : before.draining };
}

function isSame(a: readonly Duty[], b: readonly Duty[]): boolean {
  const keys = new Set(b.map(({ key }) => key));
  return a.length === b.length && a.every(({ key }) => keys.has(key));
}
