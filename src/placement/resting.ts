import type { SlotKey } from '../ids.ts';
import type { Census } from './census.ts';
import type { WantedSlot } from './types.ts';

const REST_MS = 600_000;

/**
 * Slots that kept crashing here and went elsewhere: for ten minutes, or until there is a new generation to try, this
 * peer ranks last for them, so that an app that crashes everywhere is not passed round and round.
 */
export type Resting = ReadonlyMap<SlotKey, { readonly generation: string; readonly until: number }>;

/** Our facts say what we are shy of while a dyno crashes here; this remembers it when that dyno is gone. */
export function nextResting(
  resting: Resting,
  census: Census,
  wanted: readonly WantedSlot[],
  now: number,
): Resting {
  const me = census.byId.get(census.me);
  const crashed = new Set<SlotKey>();
  for (const fact of me?.facts.dynos ?? []) {
    if (fact.phase === 'crashed' && me?.facts.shy.includes(fact.slot) === true) crashed.add(fact.slot);
  }
  const next = new Map<SlotKey, { readonly generation: string; readonly until: number }>();
  for (const slot of wanted) {
    const before = resting.get(slot.slot);
    if (crashed.has(slot.slot)) {
      next.set(slot.slot, { generation: slot.generation, until: now + REST_MS });
    } else if (before !== undefined && isResting(resting, slot, now)) {
      next.set(slot.slot, before);
    }
  }
  return next;
}

export function isResting(resting: Resting, slot: WantedSlot, now: number): boolean {
  const rest = resting.get(slot.slot);
  return rest !== undefined && rest.generation === slot.generation && now < rest.until;
}

export function restingSlots(resting: Resting): readonly SlotKey[] {
  return [...resting.keys()];
}
