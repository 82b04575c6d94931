import type { DynoFact } from '../facts.ts';
import type { SlotKey } from '../ids.ts';
import type { Census } from './census.ts';
import { isClaim, isWilling } from './census.ts';
import { settleDuplicate } from './duplicates.ts';
import type { Context } from './plan-context.ts';
import { ROLLING_MAX, isRolling, renewSlot } from './renew.ts';
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
  const rolling = new Map<string, number>();
  for (const slot of wanted) {
    if (isRolling(slot, own.get(slot.slot) ?? [])) rolling.set(slot.app, (rolling.get(slot.app) ?? 0) + 1);
  }
  for (const slot of wanted) {
    const facts = own.get(slot.slot);
    if (facts === undefined) continue;
    const duplicate = settleDuplicate(census, slot);
    if (duplicate.isBelow) {
      const why = isWillingHere(census, slot.slot) ? 'duplicate' : 'moved';
      actions.push(...duplicate.stop.map(({ dyno }) => stop(dyno, slot.slot, why)));
      continue;
    }
    const count = rolling.get(slot.app) ?? 0;
    const renewal = renewSlot(slot, facts, count < ROLLING_MAX && !leavesSoon(census, slot));
    if (renewal.some(({ tag }) => tag === 'start')) rolling.set(slot.app, count + 1);
    actions.push(...renewal);
  }
  return actions;
}

/** Our dynos by slot, those on their way out left out. */
export function ownDynos(census: Census): ReadonlyMap<SlotKey, readonly DynoFact[]> {
  const facts = census.byId.get(census.me)?.facts.dynos.filter(isClaim) ?? [];
  return Map.groupBy(facts, ({ slot }) => slot);
}

/** A draining peer changes no generation when another could take the slot at the new one right away. */
function leavesSoon(census: Census, slot: WantedSlot): boolean {
  if (census.byId.get(census.me)?.facts.draining !== true) return false;
  const vacancy = vacancyOf(census, slot, null, 0, () => false);
  return vacancy.tag === 'open' && vacancy.candidates.length > 0;
}

function isWillingHere(census: Census, slot: SlotKey): boolean {
  const me = census.byId.get(census.me);
  return me !== undefined && isWilling(me, slot);
}

function stop(
  dyno: DynoFact['dyno'],
  slot: SlotKey,
  why: 'unwanted' | 'duplicate' | 'moved',
): PlacementAction {
  return { tag: 'stop', dyno, slot, why };
}
