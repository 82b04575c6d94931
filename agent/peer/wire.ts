import { decode, encode } from '@ipld/dag-cbor';
import type { GossipMessage, PeerMessage } from '../../src/peer/messages.ts';

/** Peers' messages as bytes: deterministic CBOR, no schema needed to skip what is unknown. */
export function encodeMessage(message: PeerMessage | GossipMessage): Uint8Array {
  return encode(message);
}

/** The message in a frame or a gossip, or null when it is none. Its parts are checked where they are used. */
export function decodeMessage(bytes: Uint8Array): unknown {
  try {
    const value: unknown = decode(bytes);
    return typeof value === 'object' && value !== null && 't' in value ? value : null;
  } catch {
    // Bytes of a broken peer: the caller counts them.
    return null;
  }
}
