import type { PeerId } from '../ids.ts';
import type { View } from '../ledger/view.ts';

/** Ids begin alike: it is their ends that tell them apart. */
const END = 4;

export type PeerRef = { readonly id: string; readonly name: string };

/** A peer as it is called where people read of it, `attic`, or `attic-9Xbt` where other members are called `attic` too. */
export function peerRef(view: View, peer: PeerId): PeerRef {
  const name = view.members.get(peer)?.name;
  if (name === undefined) return { id: peer, name: peer };
  return { id: peer, name: isShared(view, peer, name) ? withEnd(name, peer) : name };
}

/** Whether a name is all that somebody wrote of one that is shown with the end of its id. */
export function isBareName(name: string, peer: PeerRef): boolean {
  return peer.name === withEnd(name, peer.id);
}

function isShared(view: View, peer: PeerId, name: string): boolean {
  for (const member of view.members.values())
    if (member.peer !== peer && member.name === name && member.state === 'member') return true;
  return false;
}

function withEnd(name: string, id: string): string {
  return `${name}-${id.slice(-END)}`;
}
