import type { PeerId } from '../ids.ts';
import type { PlacementPeer } from './types.ts';

/** A peer that returns says what it runs at once; one that has nothing new to say is believed after this. */
export const FRESH_FACTS_MS = 5_000;

/**
 * Peers that were down, with the version of the facts we had then: until they speak again, those facts tell what ran
 * before and not what runs now. A host that comes back empty must not win its slots back by its old claims.
 */
export type Lapsed = ReadonlyMap<PeerId, Lapse>;

type Lapse = {
  readonly incarnation: number;
  readonly counter: number;
  /** Mono ms; null while it is down. */
  readonly returnedAt: number | null;
};

export function nextLapsed(lapsed: Lapsed, peers: readonly PlacementPeer[], now: number): Lapsed {
  const next = new Map<PeerId, Lapse>();
  for (const { facts, verdict } of peers) {
    const { peer, incarnation, counter } = facts;
    const before = lapsed.get(peer);
    if (verdict === 'down' || verdict === 'gone') {
      next.set(peer, { incarnation, counter, returnedAt: null });
    } else if (before !== undefined && !isNewer(facts, before)) {
      const returnedAt = before.returnedAt ?? now;
      if (now < returnedAt + FRESH_FACTS_MS) next.set(peer, { ...before, returnedAt });
    }
  }
  return next;
}

/** A returned peer with old facts counts as unreachable: it keeps what it may hold, and wins nothing. */
export function believed(lapsed: Lapsed, peer: PlacementPeer): PlacementPeer {
  const isBack = peer.verdict === 'alive' && lapsed.has(peer.facts.peer);
  return isBack ? { ...peer, verdict: 'unreachable' } : peer;
}

export function nextLapseWake(lapsed: Lapsed): number {
  const ends = [...lapsed.values()].map(({ returnedAt }) =>
    returnedAt === null ? Infinity : returnedAt + FRESH_FACTS_MS,
  );
  return Math.min(Infinity, ...ends);
}

function isNewer(
  a: { readonly incarnation: number; readonly counter: number },
  b: { readonly incarnation: number; readonly counter: number },
): boolean {
  return a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.counter > b.counter);
}
