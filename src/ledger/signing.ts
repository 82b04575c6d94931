import { base58btc } from 'multiformats/bases/base58';
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import type { OpId, PeerId } from '../ids.ts';
import { encodeOp, opIdOf } from './codec.ts';
import type { Op, StoredOp } from './op.ts';

/** Whoever may sign in a peer's name. */
export type Signer = { readonly peer: PeerId; sign(bytes: Uint8Array): Uint8Array };

/** A PeerId is an identity multihash (code 0, 36 bytes) of a protobuf: key type Ed25519, 32 bytes of key. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
/** What DER puts before the 32 raw bytes of an Ed25519 key (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;
/** Parsed public keys kept: more authors than a cluster has, few enough to forget. */
const KEY_CACHE_MAX = 1_024;

const keyCache = new Map<PeerId, KeyObject>();

/** Signs with the Ed25519 key that grows from a 32-byte seed. */
export function createSigner(seed32: Uint8Array): Signer {
  if (seed32.length !== KEY_BYTES) throw badKey(`a seed has ${KEY_BYTES} bytes, this one ${seed32.length}`);
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed32]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    peer: peerIdOf(spki.subarray(SPKI_PREFIX.length)),
    sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey)),
  };
}

/** The id of the peer that holds this raw Ed25519 public key (32 bytes). */
export function peerIdOf(publicKey: Uint8Array): PeerId {
  if (publicKey.length !== KEY_BYTES)
    throw badKey(`a public key has ${KEY_BYTES} bytes, not ${publicKey.length}`);
  return base58btc.baseEncode(Buffer.concat([PEER_ID_PREFIX, publicKey])) as PeerId;
}

/** The raw Ed25519 public key that a peer's id contains. Throws `bad_request` when it contains none. */
export function publicKeyOf(peer: PeerId): Uint8Array {
  const bytes = decodeBase58(peer);
  const isEd25519 =
    bytes.length === PEER_ID_PREFIX.length + KEY_BYTES &&
    PEER_ID_PREFIX.every((byte, index) => bytes[index] === byte);
  if (!isEd25519) throw badKey(`"${peer}" is not the id of an Ed25519 key`);
  return bytes.subarray(PEER_ID_PREFIX.length);
}

/** Gives an op its id and signature. The signer must be its author. */
export function signOp(unsigned: Omit<Op, 'sig'>, signer: Signer): StoredOp {
  const id = opIdOf(unsigned);
  const op: Op = { ...unsigned, sig: signer.sign(signedBytes(id)) };
  return { id, op, bytes: encodeOp(op) };
}

/** Whether the author signed this op. Trusts that `id` is the op's (as `decodeOp` and `signOp` leave it). */
export function verifyOp(stored: StoredOp): boolean {
  const key = keyObjectOf(stored.op.author);
  return key !== null && verify(null, signedBytes(stored.id), key, stored.op.sig);
}

/** The prefix keeps a signature of an op from ever being one of anything else. */
function signedBytes(id: OpId): Uint8Array {
  return Buffer.from(`kith/op/1:${id}`, 'ascii');
}

function keyObjectOf(peer: PeerId): KeyObject | null {
  const cached = keyCache.get(peer);
  if (cached !== undefined) return cached;
  const key = importKey(peer);
  if (key === null) return null;
  if (keyCache.size >= KEY_CACHE_MAX) keyCache.clear();
  keyCache.set(peer, key);
  return key;
}

function importKey(peer: PeerId): KeyObject | null {
  try {
    return createPublicKey({
      key: Buffer.concat([SPKI_PREFIX, publicKeyOf(peer)]),
      format: 'der',
      type: 'spki',
    });
  } catch {
    return null; // An id without a key has signed nothing.
  }
}

function decodeBase58(peer: PeerId): Uint8Array {
  try {
    return base58btc.baseDecode(peer);
  } catch (cause) {
    throw badKey(`"${peer}" is not base58`, cause);
  }
}

function badKey(found: string, cause?: unknown): PlatformError {
  return new PlatformError('bad_request', `Cannot use a peer's key: ${found}`, { cause });
}
