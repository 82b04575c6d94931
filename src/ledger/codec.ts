import { decode, encode } from '@ipld/dag-cbor';
import { base32 } from 'multiformats/bases/base32';
import { hash } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import type { OpId } from '../ids.ts';
import type { Op, StoredOp } from './op.ts';
import type { Hlc } from './hlc.ts';

export const OP_BYTES_MAX = 256 * 1024;
export const OP_PARENTS_MAX = 1_000;

const SIGNATURE_BYTES = 64;
/** CBOR heads of a map of eleven entries and of ten: an op, and an op without its signature. */
const SIGNED_HEAD = 0xab;
const UNSIGNED_HEAD = 0xaa;
/** An op's first entry, `v: 1`; the keys of the next two; the key `sig` and the head of 64 bytes. */
const V_ENTRY = [0x61, 0x76, 0x01];
const HLC_KEY = [0x63, 0x68, 0x6c, 0x63];
const SEQ_KEY = [0x63, 0x73, 0x65, 0x71];
const SIG_ENTRY = [0x63, 0x73, 0x69, 0x67, 0x58, SIGNATURE_BYTES];

/** What a field must be, and how to say so of one that is not. */
type Rule = readonly [holds: (value: unknown) => boolean, otherwise: string];

const matching = (pattern: RegExp): Rule => [
  (value) => typeof value === 'string' && pattern.test(value),
  `must match ${pattern.source}`,
];
const OP_ID = /^[a-z2-7]{52}$/;
const isOpId = (value: unknown): boolean => typeof value === 'string' && OP_ID.test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** By hand rather than by a schema: every op that anybody sends goes through here, and most of its time went there. */
const FIELDS: { readonly [Field in keyof Op]: Rule } = {
  v: [(value) => value === 1, 'must be 1'],
  cluster: matching(/^[a-z2-7]{26}$/),
  author: matching(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/),
  epoch: matching(/^[a-z2-7]{16}$/),
  seq: [isCount, 'must be a whole number from 0 on'],
  prev: [(value) => value === null || isOpId(value), `must be null or match ${OP_ID.source}`],
  hlc: [
    (value) => hasKeys(value, 2) && isCount(value['ms']) && isCount(value['n']),
    'must be whole numbers ms and n from 0 on',
  ],
  parents: [
    (value) => Array.isArray(value) && value.length <= OP_PARENTS_MAX && value.every(isOpId),
    `must be at most ${OP_PARENTS_MAX} ids that match ${OP_ID.source}`,
  ],
  kind: matching(/^[a-z][a-z.-]{0,63}$/),
  body: [() => true, ''],
  sig: [
    (value) => value instanceof Uint8Array && value.length === SIGNATURE_BYTES,
    `must be ${SIGNATURE_BYTES} bytes`,
  ],
};
const RULES = Object.entries(FIELDS);

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
  const op = parseOp(decodeCbor(bytes));
  return { id: hashOp(bytes, op), op, bytes };
}

function parseOp(value: unknown): Op {
  if (!hasKeys(value, RULES.length)) throw badOp(`it is no map of ${RULES.length} fields`);
  for (const [field, [holds, otherwise]] of RULES) {
    if (!Object.hasOwn(value, field)) throw badOp(`${field}: it is missing`);
    if (!holds(value[field])) throw badOp(`${field}: ${otherwise}`);
  }
  const { ms, n } = (value as Op).hlc;
  // Fields in the order in which their author has them: what is made of them is then the same text at every peer.
  const op = { ...(value as Op), hlc: { ms, n } };
  if ((op.prev === null) !== (op.seq === 0)) throw badOp('prev must be null at seq 0 and only there');
  return op;
}

function hasKeys(value: unknown, count: number): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.keys(value).length === count;
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
function hashOp(bytes: Uint8Array, { hlc, seq }: Op): OpId {
  const before = [SIGNED_HEAD, ...V_ENTRY, ...HLC_KEY, ...hlcBytes(hlc), ...SEQ_KEY, ...uintBytes(seq)];
  const sigStart = before.length + SIG_ENTRY.length;
  if (!startsWith(bytes, [...before, ...SIG_ENTRY])) throw badOp('its encoding is not canonical');
  const unsigned = new Uint8Array(bytes.length - SIG_ENTRY.length - SIGNATURE_BYTES);
  unsigned.set(before);
  unsigned[0] = UNSIGNED_HEAD;
  unsigned.set(bytes.subarray(sigStart + SIGNATURE_BYTES), before.length);
  return digest(unsigned) as OpId;
}

/** A map of `n` and `ms` as DAG-CBOR. */
function hlcBytes({ ms, n }: Hlc): readonly number[] {
  return [0xa2, 0x61, 0x6e, ...uintBytes(n), 0x62, 0x6d, 0x73, ...uintBytes(ms)];
}

/** A whole number as CBOR: in itself where it is small, else behind how many bytes it takes. */
function uintBytes(value: number): readonly number[] {
  if (value < 24) return [value];
  const exponent = value < 2 ** 8 ? 0 : value < 2 ** 16 ? 1 : value < 2 ** 32 ? 2 : 3;
  const bytes = [0x18 + exponent];
  for (let place = 2 ** exponent - 1; place >= 0; place -= 1)
    bytes.push(Math.floor(value / 256 ** place) % 256);
  return bytes;
}

function startsWith(bytes: Uint8Array, part: readonly number[]): boolean {
  for (let index = 0; index < part.length; index += 1) if (bytes[index] !== part[index]) return false;
  return true;
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
