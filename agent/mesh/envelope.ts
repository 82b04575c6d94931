import type { PeerId } from '../../src/ids.ts';
import { type Identity, isSignedBy, peerOfRawKey, PUBLIC_KEY_BYTES, rawKeyOf } from './identity.ts';

const VERSION = 1;
const NONCE_BYTES = 8;
const SIGNATURE_BYTES = 64;
const DATA_AT = 1 + PUBLIC_KEY_BYTES + NONCE_BYTES + SIGNATURE_BYTES;

export type Envelope = { readonly from: PeerId; readonly data: Uint8Array };

/**
 * What gossip carries: version, sender's key, nonce, signature, data. Gossip is relayed by other members, so each
 * message proves by itself who wrote it, and for which topic. The nonce keeps equal data from being taken for a repeat.
 */
export function sealEnvelope(identity: Identity, topic: string, nonce: bigint, data: Uint8Array): Uint8Array {
  const key = rawKeyOf(identity.self);
  if (key === null) throw new Error(`"${identity.self}" is not the id of an Ed25519 key`);
  const envelope = Buffer.alloc(DATA_AT + data.length);
  envelope[0] = VERSION;
  envelope.set(key, 1);
  envelope.writeBigUInt64BE(nonce, 1 + PUBLIC_KEY_BYTES);
  envelope.set(data, DATA_AT);
  envelope.set(identity.sign(signedBytes(topic, envelope)), DATA_AT - SIGNATURE_BYTES);
  return envelope;
}

/** Null for bytes that are no envelope, or whose signature does not fit this topic. */
export function openEnvelope(topic: string, bytes: Uint8Array): Envelope | null {
  const envelope = readEnvelope(bytes);
  if (envelope === null) return null;
  const signature = bytes.subarray(DATA_AT - SIGNATURE_BYTES, DATA_AT);
  return isSignedBy(envelope.from, signedBytes(topic, bytes), signature) ? envelope : null;
}

/** Sender and data of an envelope whose signature was checked before. */
export function readEnvelope(bytes: Uint8Array): Envelope | null {
  if (bytes.length < DATA_AT || bytes[0] !== VERSION) return null;
  const from = peerOfRawKey(bytes.subarray(1, 1 + PUBLIC_KEY_BYTES));
  return { from, data: bytes.subarray(DATA_AT) };
}

function signedBytes(topic: string, envelope: Uint8Array): Uint8Array {
  const nonce = envelope.subarray(1 + PUBLIC_KEY_BYTES, DATA_AT - SIGNATURE_BYTES);
  return Buffer.concat([Buffer.from(`kith-gossip-1\0${topic}\0`), nonce, envelope.subarray(DATA_AT)]);
}
