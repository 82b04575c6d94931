import type { DynoFact } from '../facts.ts';
import type { SlotKey } from '../ids.ts';
import type { Census } from './census.ts';
import { isClaim, isLeaving, isWilling } from './census.ts';
import { settleDuplicate } from './duplicates.ts';
import { misfitOf, stoppedVolume } from './eligible.ts';
import type { Context } from './plan-context.ts';
import { ROLLING_MAX, isRolling, renewSlot, renewStopFirst } from './renew.ts';
import type { PlacementAction, WantedSlot } from './types.ts';
import { vacancyOf } from './vacancy.ts';

/** Our own dynos: those not wanted and those that lost their slot stop, the others are brought up to date. */
export function planOwn({ census, wanted }: Context): readonly PlacementAction[] {
  const own = ownDynos(census);
  const wantedKeys = new Set(wanted.map(({ slot }) => slot));
  const actions: PlacementAction[] = [];
  for (const [slot, facts] of own) {
    if (!wantedKeys.has(slot)) actions.push(...facts.map(({ dyno }) => stop(dyno, slot, 'unwanted')));
  }
  const me = census.byId.get(census.me);
  const rolling = new Map<string, number>();
  for (const slot of wanted) {
    const present = me?.facts.dynos.filter((fact) => fact.slot === slot.slot) ?? [];
    if (isRolling(slot, present)) rolling.set(slot.app, (rolling.get(slot.app) ?? 0) + 1);
  }
  for (const slot of wanted) {
    const facts = own.get(slot.slot);
    if (facts === undefined) continue;
    if (stoppedVolume(slot) !== undefined) {
      actions.push(...facts.map(({ dyno }) => stop(dyno, slot.slot, 'unwanted')));
      continue;
    }
    const duplicate = settleDuplicate(census, slot);
    if (duplicate.isBelow) {
      const why = isWillingHere(census, slot) ? 'duplicate' : 'moved';
      actions.push(...duplicate.stop.map(({ dyno }) => stop(dyno, slot.slot, why)));
      continue;
    }
    const count = rolling.get(slot.app) ?? 0;
    // Where it cannot be started, what runs is left alone until it can, here or elsewhere.
    const canStart = me !== undefined && me.facts.runtimeDown === undefined && misfitOf(me, slot) === null;
    if (slot.volumes.length > 0) {
      const stops = renewStopFirst(slot, facts, canStart && count < ROLLING_MAX);
      if (stops.length > 0) rolling.set(slot.app, count + 1);
      actions.push(...stops);
      continue;
    }
    const renewal = renewSlot(slot, facts, count < ROLLING_MAX && !leavesSoon(census, slot));
    const starts = renewal.some(({ tag }) => tag === 'start');
    if (starts && !canStart) continue;
    if (starts) rolling.set(slot.app, count + 1);
    actions.push(...renewal);
  }
  return actions;
}

/** Our dynos by slot, those on their way out left out. */
export function ownDynos(census: Census): ReadonlyMap<SlotKey, readonly DynoFact[]> {
  const facts = census.byId.get(census.me)?.facts.dynos.filter(isClaim) ?? [];
  return Map.groupBy(facts, ({ slot }) => slot);
}

/** A peer that leaves changes no generation when another could take the slot at the new one right away. */
function leavesSoon(census: Census, slot: WantedSlot): boolean {
  const me = census.byId.get(census.me);
  if (me === undefined || !isLeaving(me)) return false;
  const vacancy = vacancyOf(census, slot, null, 0, () => false);
  return vacancy.tag === 'open' && vacancy.candidates.length > 0;
}

function isWillingHere(census: Census, slot: WantedSlot): boolean {
  const me = census.byId.get(census.me);
  return me !== undefined && isWilling(me, slot.slot) && misfitOf(me, slot) === null;
}

function stop(
  dyno: DynoFact['dyno'],
  slot: SlotKey,
  why: 'unwanted' | 'duplicate' | 'moved',
): PlacementAction {
  return { tag: 'stop', dyno, slot, why };
}
