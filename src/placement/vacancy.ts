import type { Census } from './census.ts';
import { isLeaving, isWilling, loadAt } from './census.ts';
import { misfitOf, obstacleOf } from './eligible.ts';
import type { Brake } from './takeover.ts';
import { heldUntil } from './takeover.ts';
import type { Claim, PlacementPeer, WantedSlot } from './types.ts';

/** How a slot stands: somebody keeps it, or these peers may claim it. */
export type Vacancy =
  | { readonly tag: 'held'; /** Mono ms, if time alone may end it. */ readonly until: number }
  | {
      readonly tag: 'open';
      readonly candidates: readonly PlacementPeer[];
      /** Somebody still runs it, and gives it up once it is up elsewhere. */
      readonly isServed: boolean;
    };

/** A move is worth it only past this difference, and leaves the giver with no fewer than the taker. */
export const MOVE_DIFFERENCE = 2;

/**
 * Whether a slot can be claimed, and by whom. A live peer's claim holds, unless that peer leaves, cannot run what is wanted now, or is shy of the slot:
 * then it is crashed there and any peer that is not shy of it may try, or it is up and offered to peers that carry less.
 */
export function vacancyOf(
  census: Census,
  slot: WantedSlot,
  brake: Brake | null,
  now: number,
  isShy: (peer: PlacementPeer) => boolean,
): Vacancy {
  const claims = census.claims.get(slot.slot) ?? [];
  const until = Math.max(-Infinity, ...claims.map((claim) => keptUntil(census, slot, claim, brake)));
  if (until > now) return { tag: 'held', until };
  const givers = claims.filter(({ peer }) => census.byId.get(peer)?.verdict === 'alive');
  const candidates = census.peers.filter(
    (peer) =>
      obstacleOf(census, peer, slot) === null &&
      givers.every((giver) => mayTakeFrom(census, slot, giver, peer, isShy(peer))),
  );
  return { tag: 'open', candidates, isServed: givers.some(({ fact }) => fact.phase === 'up') };
}

/** Mono ms until which nobody else may have the slot; Infinity while its peer lives and wants it. */
function keptUntil(census: Census, slot: WantedSlot, { peer, fact }: Claim, brake: Brake | null): number {
  const holder = census.byId.get(peer);
  if (holder === undefined) return -Infinity;
  if (holder.verdict === 'alive' && misfitOf(holder, slot) !== null) return -Infinity;
  if (holder.verdict !== 'alive' || isWilling(holder, fact.slot)) return heldUntil(holder, fact.type, brake);
  if (isLeaving(holder) || fact.phase === 'crashed' || fact.phase === 'up') return -Infinity;
  // Shy of it, but just trying again.
  return Infinity;
}

function mayTakeFrom(
  census: Census,
  slot: WantedSlot,
  { peer, fact }: Claim,
  taker: PlacementPeer,
  isShy: boolean,
): boolean {
  const giver = census.byId.get(peer);
  if (giver === undefined || giver === taker) return false;
  if (isLeaving(giver) || misfitOf(giver, slot) !== null) return true;
  if (isShy) return false;
  if (fact.phase === 'crashed') return true;
  return loadAt(census, peer).slots - loadAt(census, taker.facts.peer).slots >= MOVE_DIFFERENCE;
}
