import type { PeerId } from '../ids.ts';
import { verdictOf } from '../membership/membership.ts';
import type { PeerState } from './state.ts';

/** Live peers that say they hold a blob, in an order that all peers share. */
export function holdersIn(state: Pick<PeerState, 'facts' | 'membership'>, blob: string): readonly PeerId[] {
  return [...state.facts.values()]
    .filter((facts) => facts.blobs.some((held) => held === blob))
    .map((facts) => facts.peer)
    .filter((peer) => verdictOf(state.membership, peer) === 'alive')
    .sort();
}
