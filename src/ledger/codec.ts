import { hash } from 'node:crypto';
import { decode, encode } from '@ipld/dag-cbor';
import { base32 } from 'multiformats/bases/base32';
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { ClusterId, Epoch, OpId, PeerId } from '../ids.ts';
import type { Op, StoredOp } from './op.ts';

export const OP_BYTES_MAX = 256 * 1024;
export const OP_PARENTS_MAX = 1_000;

const SIGNATURE_BYTES = 64;
/** CBOR heads of a map of eleven entries and of ten: an op, and an op without its signature. */
const SIGNED_HEAD = 0xab;
const UNSIGNED_HEAD = 0xaa;
/** The key `sig` and the head of 64 bytes, as they stand in an encoded op. */
const SIG_ENTRY = Uint8Array.of(0x63, 0x73, 0x69, 0x67, 0x58, SIGNATURE_BYTES);

const matching = <T>(pattern: RegExp) =>
  z.custom<T>((value) => typeof value === 'string' && pattern.test(value), `must match ${pattern.source}`);

const opId = matching<OpId>(/^[a-z2-7]{52}$/);
const count = z.number().int().min(0);

const opShape = z
  .strictObject({
    v: z.literal(1),
    cluster: matching<ClusterId>(/^[a-z2-7]{26}$/),
    author: matching<PeerId>(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/),
    epoch: matching<Epoch>(/^[a-z2-7]{16}$/),
    seq: count,
    prev: opId.nullable(),
    hlc: z.strictObject({ ms: count, n: count }),
    parents: z.array(opId).max(OP_PARENTS_MAX),
    kind: matching<string>(/^[a-z][a-z.-]{0,63}$/),
    body: z.unknown(),
    sig: z.custom<Uint8Array>(
      (value) => value instanceof Uint8Array && value.length === SIGNATURE_BYTES,
      `must be ${SIGNATURE_BYTES} bytes`,
    ),
  })
  .refine((op) => (op.prev === null) === (op.seq === 0), 'prev must be null at seq 0 and only there');

/** The deterministic encoding that travels and is stored. Throws `too_large` past 256 KiB. */
export function encodeOp(op: Op): Uint8Array {
  const bytes = encode(op);
  if (bytes.length > OP_BYTES_MAX) {
    throw new PlatformError('too_large', `Cannot write a "${op.kind}" op of ${bytes.length} bytes`, {
      hint: `An op holds at most ${OP_BYTES_MAX} bytes; make several smaller changes`,
    });
  }
  return bytes;
}

/**
 * An op from bytes that anybody may have sent. Its id is of the bytes as they came, so that no two byte strings share
 * one; unknown kinds pass, with whatever body. Throws `bad_op`.
 */
export function decodeOp(bytes: Uint8Array): StoredOp {
  if (bytes.length > OP_BYTES_MAX)
    throw badOp(`it has ${bytes.length} bytes, at most ${OP_BYTES_MAX} are read`);
  const parsed = opShape.safeParse(decodeCbor(bytes));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw badOp(`${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'wrong shape'}`);
  }
  const op: Op = parsed.data;
  return { id: hashOp(bytes, op), op, bytes };
}

/** The id that an op with this content bears, whatever its signature. */
export function opIdOf(op: Omit<Op, 'sig'>): OpId {
  return digest(encode(op)) as OpId;
}

/** SHA-256 as base32, lower case, 52 characters. */
export function digest(data: Uint8Array | string): string {
  return base32.baseEncode(hash('sha256', data, 'buffer'));
}

/**
 * Hashes an encoded op without its `sig` entry and without encoding it again. Keys sort by length, so only three
 * numbers stand before the signature: where it must be is known, and anything else there is refused.
 */
function hashOp(bytes: Uint8Array, op: Op): OpId {
  const before = encode({ v: op.v, hlc: op.hlc, seq: op.seq });
  before[0] = SIGNED_HEAD;
  const sigEnd = before.length + SIG_ENTRY.length + SIGNATURE_BYTES;
  if (!startsWith(bytes, before, 0) || !startsWith(bytes, SIG_ENTRY, before.length)) {
    throw badOp('its encoding is not canonical');
  }
  const unsigned = new Uint8Array(bytes.length - SIG_ENTRY.length - SIGNATURE_BYTES);
  unsigned.set(before);
  unsigned[0] = UNSIGNED_HEAD;
  unsigned.set(bytes.subarray(sigEnd), before.length);
  return digest(unsigned) as OpId;
}

function startsWith(bytes: Uint8Array, part: Uint8Array, at: number): boolean {
  return part.every((byte, index) => bytes[at + index] === byte);
}

function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (cause) {
    throw badOp(`it is not DAG-CBOR (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  }
}

function badOp(found: string, cause?: unknown): PlatformError {
  return new PlatformError('bad_op', `Cannot read an op: ${found}`, { cause });
}
