import type { SlotKey } from '../ids.ts';
import type { Census } from './census.ts';
import { isLeaving, isWilling, kindOf, loadAt, runsAsWanted } from './census.ts';
import { obstacleOf } from './eligible.ts';
import type { PlacementPeer, WantedSlot } from './types.ts';
import { MOVE_DIFFERENCE } from './vacancy.ts';

export const OVERLOAD_MS = 60_000;
export const OFFER_EVERY_MS = 30_000;
/** A taker has to fetch and boot; after that the offer is withdrawn. */
export const OFFER_MS = 150_000;
const OVERLOAD_FACTOR = 1.25;

/**
 * A peer that has carried too much for a minute offers one slot at a time, by being shy of it in its facts. A peer with
 * at least two slots fewer claims it; the giver stops its dyno once the taker's is up. Only the giver decides, and a
 * move never makes the taker the fuller one: nothing can bounce.
 */
export type Balance = {
  readonly overloadedSince: number | null;
  readonly offer: { readonly slot: SlotKey; readonly at: number } | null;
  readonly offeredAt: number;
};

export const BALANCED: Balance = { overloadedSince: null, offer: null, offeredAt: -Infinity };

export function nextBalance(
  balance: Balance,
  census: Census,
  wanted: readonly WantedSlot[],
  now: number,
): Balance {
  const overloadedSince = isOverloaded(census) ? (balance.overloadedSince ?? now) : null;
  const offer = keptOffer(balance.offer, census, overloadedSince !== null, now);
  const mayOffer = offer === null && now >= nextOfferAt({ ...balance, overloadedSince });
  const slot = mayOffer ? slotToOffer(census, wanted) : undefined;
  // An attempt that finds no taker counts too: the next comes in its turn, not at every plan.
  if (slot === undefined) {
    return { overloadedSince, offer, offeredAt: mayOffer ? now : balance.offeredAt };
  }
  return { overloadedSince, offer: { slot: slot.slot, at: now }, offeredAt: now };
}

/** When time alone changes something, mono ms. */
export function nextBalanceWake(balance: Balance): number {
  return balance.offer === null ? nextOfferAt(balance) : balance.offer.at + OFFER_MS;
}

function nextOfferAt({ overloadedSince, offeredAt }: Balance): number {
  if (overloadedSince === null) return Infinity;
  return Math.max(overloadedSince + OVERLOAD_MS, offeredAt + OFFER_EVERY_MS);
}

function isOverloaded(census: Census): boolean {
  const peers = census.peers.filter((peer) => peer.verdict === 'alive' && !isLeaving(peer));
  const counts = peers.map(({ facts }) => loadAt(census, facts.peer).slots);
  const own = loadAt(census, census.me).slots;
  const fair = counts.reduce((sum, count) => sum + count, 0) / Math.max(1, peers.length);
  const me = census.byId.get(census.me);
  return (
    me !== undefined &&
    !isLeaving(me) &&
    own > OVERLOAD_FACTOR * fair &&
    counts.some((count) => own - count >= MOVE_DIFFERENCE)
  );
}

/** An offer stands until the slot has moved, the reason has passed, or nobody came for it. */
function keptOffer(
  offer: Balance['offer'],
  census: Census,
  isOverloaded: boolean,
  now: number,
): Balance['offer'] {
  if (offer === null || now >= offer.at + OFFER_MS) return null;
  const claims = census.claims.get(offer.slot) ?? [];
  if (!claims.some(({ peer }) => peer === census.me)) return null;
  const isTaken = claims.some(({ peer }) => peer !== census.me);
  return isOverloaded || isTaken ? offer : null;
}

/** The slot whose app and type is most bunched up here, of those that run well and that some peer could take. */
function slotToOffer(census: Census, wanted: readonly WantedSlot[]): WantedSlot | undefined {
  let best: { readonly slot: WantedSlot; readonly gain: number } | undefined;
  for (const slot of wanted) {
    const claims = census.claims.get(slot.slot) ?? [];
    const runsHere = claims.every(({ peer, fact }) => {
      return peer === census.me && fact.phase === 'up' && runsAsWanted(fact, slot);
    });
    if (claims.length === 0 || !runsHere) continue;
    const gains = takersOf(census, slot).map(
      (peer) => alike(census, census.me, slot) - alike(census, peer.facts.peer, slot),
    );
    const gain = Math.max(-Infinity, ...gains);
    if (gains.length > 0 && (best === undefined || gain > best.gain)) best = { slot, gain };
  }
  return best?.slot;
}

function takersOf(census: Census, slot: WantedSlot): readonly PlacementPeer[] {
  const own = loadAt(census, census.me).slots;
  return census.peers.filter(
    (peer) =>
      obstacleOf(census, peer, slot) === null &&
      isWilling(peer, slot.slot) &&
      own - loadAt(census, peer.facts.peer).slots >= MOVE_DIFFERENCE,
  );
}

function alike(census: Census, peer: PlacementPeer['facts']['peer'], slot: WantedSlot): number {
  return loadAt(census, peer).byKind.get(kindOf(slot)) ?? 0;
}
