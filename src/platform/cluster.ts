import type { View } from '../ledger/view.ts';
import type { PeerId } from '../ids.ts';
import { peerRef } from './peer-names.ts';

export type ClusterResource = {
  readonly id: string | null;
  readonly name: string;
  readonly self: { readonly id: string; readonly name: string };
  /** PEM; what `git` and the official CLI must trust. Null until the ledger has come. */
  readonly ca_cert: string | null;
  readonly members: readonly { readonly id: string; readonly name: string }[];
  /** How many writes of the cluster this peer has: one that has fewer than another has yet to hear of some. */
  readonly writes: number;
};

export function clusterResource(view: View, self: PeerId): ClusterResource {
  return {
    id: view.cluster,
    name: view.clusterName,
    self: peerRef(view, self),
    ca_cert: view.ca?.cert ?? null,
    members: [...view.members.values()]
      .filter((member) => member.state === 'member')
      .map(({ peer }) => peerRef(view, peer)),
    writes: view.known,
  };
}
