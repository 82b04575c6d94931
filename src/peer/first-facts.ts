import type { PeerFacts } from '../facts.ts';
import type { PeerIdentity } from './state.ts';

/** What a peer says of itself before it runs, holds or notices anything. */
export function firstFacts(identity: PeerIdentity): PeerFacts {
  const { name, version, arch, runtime, isolation, labels, addrs, capacity } = identity;
  return {
    name,
    version,
    arch,
    runtime,
    isolation,
    labels,
    addrs,
    capacity,
    peer: identity.signer.peer,
    incarnation: identity.incarnation,
    counter: 0,
    load: 0,
    draining: false,
    dynos: [],
    oneOffs: [],
    blobs: [],
    shy: [],
  };
}
