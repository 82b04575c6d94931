import { encode } from '@ipld/dag-cbor';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlatformError } from '../../src/errors.ts';
import type { OpId } from '../../src/ids.ts';
import { OP_BYTES_MAX, decodeOp, encodeOp } from '../../src/ledger/codec.ts';
import type { Op } from '../../src/ledger/op.ts';
import { signOp, verifyOp } from '../../src/ledger/signing.ts';
import { CLUSTER, NOON, testEpoch, testSigner } from './builders.ts';

const signer = testSigner(1);

function unsigned(changes: Partial<Op> = {}): Omit<Op, 'sig'> {
  return {
    v: 1,
    cluster: CLUSTER,
    author: signer.peer,
    epoch: testEpoch('e'),
    seq: 0,
    prev: null,
    hlc: { ms: NOON, n: 0 },
    parents: [],
    kind: 'app.sing',
    body: { song: 'la' },
    ...changes,
  };
}

/** Bytes of an op of which some fields are whatever a sender likes. */
function hostile(changes: Record<string, unknown>): Uint8Array {
  return encode({ ...signOp(unsigned(), signer).op, ...changes });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof PlatformError) return error.code;
    throw error;
  }
  return 'none';
}

test('an op comes back from its bytes with the same id, whatever its numbers and body', () => {
  const opId = fc.string({ unit: fc.constantFrom('a', 'b', 'z', '2', '7'), minLength: 52, maxLength: 52 });
  const numbers = fc.record({ seq: fc.maxSafeNat(), ms: fc.maxSafeNat(), n: fc.nat() });
  const anyBody = fc.jsonValue().filter((body) => !JSON.stringify(body).includes('e')); // DAG-CBOR holds no -0
  fc.assert(
    fc.property(numbers, fc.array(opId, { maxLength: 3 }), anyBody, ({ seq, ms, n }, parents, body) => {
      const prev = seq === 0 ? null : ('p'.repeat(52) as OpId);
      const changes = { seq, prev, hlc: { ms, n }, parents: parents as OpId[], body };
      const stored = signOp(unsigned(changes), signer);
      const decoded = decodeOp(stored.bytes);
      expect(decoded.id).toBe(stored.id);
      expect(encodeOp(decoded.op)).toEqual(stored.bytes);
      expect(verifyOp(decoded)).toBe(true);
    }),
  );
});

test('an id is 52 characters of base32 and does not depend on the signature', () => {
  const stored = signOp(unsigned(), signer);
  expect(stored.id).toMatch(/^[a-z2-7]{52}$/);
  const forged = decodeOp(encodeOp({ ...stored.op, sig: new Uint8Array(64) }));
  expect(forged.id).toBe(stored.id);
  expect(verifyOp(forged)).toBe(false);
});

test('random bytes are refused as a bad op', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(codeOf(() => decodeOp(bytes))).toBe('bad_op');
    }),
  );
});

test('an op with one bit turned is refused, or is another op that its author did not sign', () => {
  const { bytes, id } = signOp(unsigned(), signer);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const turned = Uint8Array.from(bytes);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      const op = decodeOp(turned);
      expect(verifyOp(op), `bit ${bit} of ${id}`).toBe(false);
    } catch (error) {
      expect(error).toBeInstanceOf(PlatformError);
    }
  }
});

test.each([
  ['a missing field', { kind: undefined }],
  ['a field too many', { extra: 1 }],
  ['another version', { v: 2 }],
  ['a negative sequence number', { seq: -1 }],
  ['a fractional time', { hlc: { ms: 1.5, n: 0 } }],
  ['a prev at seq 0', { prev: 'p'.repeat(52) }],
  ['no prev after seq 0', { seq: 1 }],
  ['a short signature', { sig: new Uint8Array(63) }],
  ['a parent that is no id', { parents: ['draft:0'] }],
  ['1,001 parents', { parents: Array.from({ length: 1_001 }, () => 'p'.repeat(52)) }],
  ['an author that is no Ed25519 peer', { author: 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N' }],
])('an op with %s is refused', (_, changes) => {
  const kept = Object.entries(changes).filter(([, value]) => value !== undefined);
  const { [Object.keys(changes)[0] ?? '']: _dropped, ...rest } = {
    ...signOp(unsigned(), signer).op,
  } as Record<string, unknown>;
  const bytes = kept.length === 0 ? encode(rest) : hostile(changes);
  expect(codeOf(() => decodeOp(bytes))).toBe('bad_op');
});

test('deeply nested bytes are refused, not a stack overflow', () => {
  expect(codeOf(() => decodeOp(new Uint8Array(OP_BYTES_MAX).fill(0x81)))).toBe('bad_op');
});

test('an op past 256 KiB is neither written nor read', () => {
  const body = { text: 'x'.repeat(OP_BYTES_MAX) };
  expect(codeOf(() => signOp(unsigned({ body }), signer))).toBe('too_large');
  expect(codeOf(() => decodeOp(new Uint8Array(OP_BYTES_MAX + 1)))).toBe('bad_op');
});

test('a signature elsewhere than its place does not lend its bytes to another op', () => {
  const { op } = signOp(unsigned(), signer);
  const { sig, ...rest } = op;
  const reordered = new Uint8Array([
    0xab,
    ...encode(rest).subarray(1),
    0x63,
    0x73,
    0x69,
    0x67,
    0x58,
    64,
    ...sig,
  ]);
  expect(codeOf(() => decodeOp(reordered))).toBe('bad_op');
});
