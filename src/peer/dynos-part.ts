import { createHash } from 'node:crypto';
import { cycleAt } from '../dynos/cycling.ts';
import { beginLife, stepDyno, wantsRestart } from '../dynos/life.ts';
import type { DynoEvent, DynoLife } from '../dynos/types.ts';
import type { DynoId } from '../ids.ts';
import { nextHlc } from '../ledger/hlc.ts';
import type { Hlc } from '../ledger/hlc.ts';
import { verdictAt, verdictOf } from '../membership/membership.ts';
import { planPlacement } from '../placement/plan.ts';
import type { PlacementAction, PlacementPeer, WantedSlot } from '../placement/types.ts';
import { wantedSlots } from '../placement/wanted.ts';
import { ownFacts } from './facts-part.ts';
import { isAccountedFor } from './membership-part.ts';
import { random, withEntry, withoutEntry, type Work } from './work.ts';

export function onDyno(work: Work, dyno: DynoId, event: DynoEvent): void {
  const life = work.state.dynos.get(dyno);
  if (life !== undefined) live(work, life, event);
}

/** Lets every dyno look at the clock. */
export function tickDynos(work: Work): void {
  for (const life of work.state.dynos.values()) live(work, life, { tag: 'tick' });
}

export function stopAll(work: Work): void {
  work.state.stopping = true;
  for (const life of work.state.dynos.values()) live(work, life, { tag: 'stop' });
}

function live(work: Work, life: DynoLife, event: DynoEvent): void {
  const { state, now } = work;
  const next = stepDyno(life, event, now);
  if (next.state === life && next.effects.length === 0) return;
  for (const effect of next.effects) {
    work.effects.push({ tag: 'dyno', life: next.state, effect });
  }
  if (next.state.state.tag === 'gone') {
    state.dynos = withoutEntry(state.dynos, life.dyno);
    work.effects.push({ tag: 'removeDyno', dyno: life.dyno });
  } else {
    state.dynos = withEntry(state.dynos, life.dyno, next.state);
    state.cycleAt = Math.min(state.cycleAt, cycleAt(next.state));
  }
  work.replan = true;
}

/** A crashed dyno whose back-off has passed starts anew, as another dyno in the same slot. */
export function restartCrashed(work: Work): void {
  if (work.state.stopping || work.state.runtimeDown !== null) return;
  for (const life of work.state.dynos.values()) {
    if (!wantsRestart(life, work.now)) continue;
    work.state.dynos = withoutEntry(work.state.dynos, life.dyno);
    work.effects.push({ tag: 'removeDyno', dyno: life.dyno });
    begin(work, life.slot, life.claimedAt, life.crashes);
  }
}

function begin(work: Work, slot: WantedSlot, claimedAt: Hlc, crashes: number): void {
  const { state, now } = work;
  const dyno = freshDynoId(work);
  const { state: life, effects } = beginLife({ dyno, slot, claimedAt, crashes }, now);
  state.dynos = withEntry(state.dynos, dyno, life);
  for (const effect of effects) {
    work.effects.push({ tag: 'dyno', life, effect });
  }
  work.replan = true;
}

/** A UUID that no other peer, and no other run of this one, makes. */
function freshDynoId(work: Work): DynoId {
  const { state } = work;
  state.dynosMade += 1;
  // A disk that was put back to an earlier day counts again from there: chance tells the two apart.
  const seed = `${state.self}/${state.identity.incarnation}/${state.dynosMade}/${random(work)}`;
  const hex = createHash('sha256').update(seed).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as DynoId;
}

/** Asks placement what this peer should do, and does it. */
export function place(work: Work): void {
  const { state, now } = work;
  if (state.stopping || !mayPlace(work)) return;
  const view = state.fold.view;
  if (state.wanted.view !== view) state.wanted = { view, slots: wantedSlots(view) };
  const peers: PlacementPeer[] = [
    { facts: ownFacts(work), verdict: 'alive', verdictAt: 0 },
    ...[...state.facts.values()].map((facts) => ({
      facts,
      verdict: verdictOf(state.membership, facts.peer),
      verdictAt: verdictAt(state.membership, facts.peer),
    })),
  ];
  const members = [...view.members.values()].filter((member) => member.state === 'member').length;
  const plan = planPlacement(
    state.placement,
    { me: state.self, wanted: state.wanted.slots, peers, members },
    now,
  );
  state.placement = plan.state;
  state.unplaced = plan.unplaced;
  for (const action of plan.actions) act(work, action);
}

/**
 * A peer that has just started does not know yet who runs what: it waits until every other member has spoken or is
 * known to be down, but not for ever, since it may be the only one left.
 */
function mayPlace(work: Work): boolean {
  const { state, now } = work;
  if (state.placeFrom === null) return true;
  const others = [...state.fold.view.members.values()].filter(
    (member) => member.state === 'member' && member.peer !== state.self,
  );
  if (now.mono < state.placeFrom && !others.every((member) => isAccountedFor(work, member.peer)))
    return false;
  state.placeFrom = null;
  return true;
}

function act(work: Work, action: PlacementAction): void {
  const { state, now } = work;
  switch (action.tag) {
    case 'start': {
      const replaced = action.replaces === null ? undefined : state.dynos.get(action.replaces);
      if (replaced === undefined) state.hlc = nextHlc(state.hlc, now.wall);
      begin(work, action.slot, replaced?.claimedAt ?? state.hlc, 0);
      break;
    }
    case 'stop': {
      const life = state.dynos.get(action.dyno);
      if (life !== undefined) live(work, life, { tag: 'stop' });
      break;
    }
    case 'warm':
      work.effects.push({ tag: 'warm', slot: action.slot });
      break;
  }
}
