import type { Census } from './census.ts';
import type { Resting } from './resting.ts';
import { isResting } from './resting.ts';
import type { Brake } from './takeover.ts';
import type { PlacementPeer, WantedSlot } from './types.ts';

/** What all parts of one plan look at. */
export type Context = {
  readonly census: Census;
  /** In the order of dealing. */
  readonly wanted: readonly WantedSlot[];
  readonly brake: Brake | null;
  readonly resting: Resting;
  readonly now: number;
};

/** Whether a slot failed at a peer lately, or is offered by it: such peers rank last. */
export function isShyOf({ census, resting, now }: Context, peer: PlacementPeer, slot: WantedSlot): boolean {
  if (peer.facts.peer === census.me && isResting(resting, slot, now)) return true;
  return peer.facts.shy.includes(slot.slot);
}
