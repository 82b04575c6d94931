import { CYCLE_AGAIN_MS, cycleAt } from '../dynos/cycling.ts';
import type { DynoPhase } from '../facts.ts';
import type { AppId } from '../ids.ts';
import { phaseOf } from '../dynos/life.ts';
import { verdictOf } from '../membership/membership.ts';
import { onDyno } from './dynos-part.ts';
import type { Work } from './work.ts';

/**
 * Marks dynos that have been up for a day: placement then replaces them start-first, as it does an old generation. One
 * dyno of an app at a time, wherever the others run; who is in line behind it looks again a minute later.
 */
export function cycleOld(work: Work): void {
  const { state, now } = work;
  if (now.mono < state.cycleAt) return;
  const due = [...state.dynos.values()]
    .filter((life) => cycleAt(life) <= now.mono)
    .sort((a, b) => cycleAt(a) - cycleAt(b));
  const changing = changingApps(work);
  for (const { dyno, slot } of mayCycle(work) ? due : []) {
    if (changing.has(slot.app)) continue;
    changing.add(slot.app);
    onDyno(work, dyno, { tag: 'cycle' });
  }
  const again = [...state.dynos.values()].map((life) => Math.max(cycleAt(life), now.mono + CYCLE_AGAIN_MS));
  state.cycleAt = Math.min(Infinity, ...again);
}

/** Not while dynos leave this peer anyway, cannot be started, or may be wanted elsewhere. */
function mayCycle({ state }: Work): boolean {
  return !state.stopping && !state.draining && state.runtimeDown === null && state.placeFrom === null;
}

/** Apps of which some dyno, here or at a live peer, is just being started or replaced. */
function changingApps({ state }: Work): Set<AppId> {
  const changing = new Set<AppId>();
  for (const life of state.dynos.values()) {
    if (life.isCycling || isStarting(phaseOf(life))) changing.add(life.slot.app);
  }
  for (const facts of state.facts.values()) {
    if (verdictOf(state.membership, facts.peer) !== 'alive') continue;
    for (const { app, phase, cycling } of facts.dynos) {
      if (cycling === true || isStarting(phase)) changing.add(app);
    }
  }
  return changing;
}

function isStarting(phase: DynoPhase): boolean {
  return phase === 'fetching' || phase === 'starting';
}
