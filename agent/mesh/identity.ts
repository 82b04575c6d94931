import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { base58btc } from 'multiformats/bases/base58';
import type { PeerId } from '../../src/ids.ts';

/** This peer's key in the two shapes that we need: libp2p's for handshakes, Node's (three times faster) for envelopes. */
export type Identity = {
  readonly self: PeerId;
  readonly privateKey: Ed25519PrivateKey;
  /** Ed25519, 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
};

/** @param seed 32 bytes of an Ed25519 private key */
export async function identityFromSeed(seed: Uint8Array): Promise<Identity> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed);
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const jwk = { kty: 'OKP', crv: 'Ed25519', d: base64(seed), x: base64(privateKey.publicKey.raw) };
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return {
    self: peerIdFromPrivateKey(privateKey).toString() as PeerId,
    privateKey,
    sign: (bytes) => sign(null, bytes, key),
  };
}

// A peer id of an Ed25519 key is the key itself: identity multihash (0x00, 36 bytes) of a protobuf {type: Ed25519, data}.
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
export const PUBLIC_KEY_BYTES = 32;
const keyObjects = new Map<PeerId, KeyObject>();
const KEY_OBJECTS_MAX = 4096;

/** The 32 raw bytes of a peer's key, or null where the id is not one of an Ed25519 key. */
export function rawKeyOf(peer: PeerId): Uint8Array | null {
  try {
    const bytes = base58btc.baseDecode(peer);
    const matches = PEER_ID_PREFIX.every((byte, index) => bytes[index] === byte);
    return matches && bytes.length === PEER_ID_PREFIX.length + PUBLIC_KEY_BYTES
      ? bytes.subarray(PEER_ID_PREFIX.length)
      : null;
  } catch {
    return null; // not base58: no key
  }
}

/** Inverse of `rawKeyOf`. */
export function peerOfRawKey(key: Uint8Array): PeerId {
  return base58btc.baseEncode(Buffer.concat([PEER_ID_PREFIX, key])) as PeerId;
}

/** Whether `peer` signed these bytes. Imported keys are kept: importing costs a third of a verification. */
export function isSignedBy(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
  let key = keyObjects.get(peer);
  if (key === undefined) {
    const raw = rawKeyOf(peer);
    if (raw === null) return false;
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') };
    key = createPublicKey({ key: jwk, format: 'jwk' });
    if (keyObjects.size >= KEY_OBJECTS_MAX) keyObjects.clear();
    keyObjects.set(peer, key);
  }
  return verify(null, bytes, key, signature);
}
