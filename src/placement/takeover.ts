import type { ProcessType, SlotKey } from '../ids.ts';
import type { Census } from './census.ts';
import type { PlacementPeer, WantedSlot } from './types.ts';

export const WEB_GRACE_MS = 2_000;
export const OTHER_GRACE_MS = 10_000;
export const BRAKE_WINDOW_MS = 30_000;
const BRAKE_GRACE_FACTOR = 3;
const BRAKE_SHARE = 0.25;

/** Half of the members vanished at once, at this mono ms: we may be the side that was cut off. */
export type Brake = { readonly since: number };

/**
 * The brake engages when half of all members go down within 30 s, and holds while so many are down. Those that are
 * `gone` do not count: their hosts said that nothing runs there. Nor does one peer alone: losing it is the ordinary
 * case even in a cluster of two.
 */
export function nextBrake(brake: Brake | null, census: Census, now: number): Brake | null {
  const down = census.peers.filter(({ verdict }) => verdict === 'down');
  const lately = down.filter(({ verdictAt }) => now - verdictAt < BRAKE_WINDOW_MS);
  const isMany = (count: number) => count >= 2 && count * 2 >= census.members;
  if (brake !== null) return isMany(down.length) ? brake : null;
  return isMany(lately.length) ? { since: now } : null;
}

/** Mono ms until which a peer keeps its slots of this type though it does not answer. */
export function heldUntil(peer: PlacementPeer, type: ProcessType, brake: Brake | null): number {
  if (peer.verdict === 'gone') return -Infinity;
  return peer.verdict === 'down' ? peer.verdictAt + graceMs(type, brake) : Infinity;
}

/**
 * Slots that the brake keeps from being taken over now: of those that the vanished peers held, a quarter may be taken
 * in each 30 s, counting what live peers run of them already.
 */
export function brakedSlots(
  census: Census,
  wanted: readonly WantedSlot[],
  brake: Brake | null,
  now: number,
): { readonly slots: ReadonlySet<SlotKey>; readonly releaseAt: number } {
  if (brake === null) return { slots: new Set(), releaseAt: Infinity };
  const missing = wanted.filter(({ slot }) => isHeldBy(census, slot, ({ verdict }) => verdict === 'down'));
  const free = missing.filter(({ slot }) => !isHeldBy(census, slot, ({ verdict }) => verdict === 'alive'));
  const windows = 1 + Math.floor((now - brake.since) / BRAKE_WINDOW_MS);
  const allowed = Math.ceil(BRAKE_SHARE * missing.length) * windows;
  const budget = Math.max(0, allowed - (missing.length - free.length));
  return {
    slots: new Set(free.slice(budget).map(({ slot }) => slot)),
    releaseAt: free.length > budget ? brake.since + windows * BRAKE_WINDOW_MS : Infinity,
  };
}

function graceMs(type: ProcessType, brake: Brake | null): number {
  const usual = type === 'web' ? WEB_GRACE_MS : OTHER_GRACE_MS;
  return brake === null ? usual : usual * BRAKE_GRACE_FACTOR;
}

function isHeldBy(census: Census, slot: SlotKey, test: (peer: PlacementPeer) => boolean): boolean {
  return (census.claims.get(slot) ?? []).some(({ peer }) => {
    const known = census.byId.get(peer);
    return known !== undefined && test(known);
  });
}
