import { gossipsub, StrictNoSign } from '@libp2p/gossipsub';

/** Every peer is linked to every other, so that a publisher reaches all by itself; a small D only repairs what it misses. */
const MESH = { D: 3, Dlo: 2, Dhi: 5, Dscore: 2, Dout: 1, Dlazy: 3 } as const;
/** Only grafts and repairs wait for it; whoever subscribes is published to at once. */
const HEARTBEAT_MS = 5_000;
/** In heartbeats: how long a message can be had again, and how long it is offered to those that may have missed it. */
const REMEMBERED = { mcacheLength: 3, mcacheGossip: 2 } as const;

/**
 * gossipsub for a closed group. Scores exist against strangers, and we have none: what they do to members is harm.
 * With more than ten peers on one IP (loopback, one NAT) the colocation penalty silently ends all delivery, and the
 * behaviour penalty shuns a peer whose event loop was slow.
 */
export function tunedGossipsub(): ReturnType<typeof gossipsub> {
  return gossipsub({
    ...MESH,
    heartbeatInterval: HEARTBEAT_MS,
    ...REMEMBERED,
    globalSignaturePolicy: StrictNoSign, // our own envelope is signed: node:crypto is three times faster
    fallbackToFloodsub: false,
    floodPublish: true,
    batchPublish: true,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    tagMeshPeers: false,
    scoreParams: {
      IPColocationFactorWeight: 0,
      behaviourPenaltyWeight: 0,
      retainScore: 0,
      decayInterval: 60_000,
    },
    // A frozen subscriber would otherwise take memory without end; the stream that this resets is reopened by us.
    maxOutboundBufferSize: 4 * 1024 * 1024,
    // An app's log topic each: far above any real need, far below what would hurt.
    maxTopicBytesPerPeer: 16 * 1024 * 1024,
    maxInboundStreams: 64,
    maxOutboundStreams: 64,
  });
}
