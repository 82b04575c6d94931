import type { PeerId } from '../ids.ts';
import { unitOf } from '../prng.ts';
import type { Census } from './census.ts';
import { kindOf, loadAt } from './census.ts';
import { spareMiB } from './eligible.ts';
import type { PlacementPeer, WantedSlot } from './types.ts';
import { compareText } from './wanted.ts';

/**
 * Who should take a slot, best first: peers that it did not fail at, then fewest dynos of its app and type (spread),
 * then most free memory, then weighted rendezvous, so that what is left to chance falls the same way on every peer.
 * @param isShy peers that rank last
 */
export function rankPeers(
  census: Census,
  slot: WantedSlot,
  peers: readonly PlacementPeer[],
  isShy: (peer: PlacementPeer) => boolean,
): readonly PeerId[] {
  const entries = peers.map((peer) => ({
    peer: peer.facts.peer,
    shy: isShy(peer) ? 1 : 0,
    alike: loadAt(census, peer.facts.peer).byKind.get(kindOf(slot)) ?? 0,
    spare: spareMiB(census, peer),
    weight: peer.facts.capacity.memoryMiB,
  }));
  const scoreOf = (entry: (typeof entries)[number]) => rendezvousScore(slot, entry.peer, entry.weight);
  return entries
    .sort(
      (a, b) =>
        a.shy - b.shy ||
        a.alike - b.alike ||
        b.spare - a.spare ||
        scoreOf(b) - scoreOf(a) ||
        compareText(a.peer, b.peer),
    )
    .map(({ peer }) => peer);
}

/** The higher, the better; a peer of twice the weight wins twice as often. @see Thaler & Ravishankar 1998 */
function rendezvousScore(slot: WantedSlot, peer: PeerId, weight: number): number {
  const unit = Math.max(unitOf(`${slot.slot} ${peer}`), Number.EPSILON);
  return -Math.max(1, weight) / Math.log(unit);
}
