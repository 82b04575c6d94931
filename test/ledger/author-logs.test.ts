import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClusterId } from '../../src/ids.ts';
import {
  acceptOps,
  emptyLogs,
  holdingsOf,
  isSealed,
  rangesMissing,
  restoreOps,
  vectorOf,
} from '../../src/ledger/author-logs.ts';
import { decodeOp, encodeOp } from '../../src/ledger/codec.ts';
import { draftRef } from '../../src/ledger/draft-ref.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import { CLUSTER, TestPeer, cluster, testEpoch } from './builders.ts';

/** A peer that has written so many ops of no meaning. */
function author(count: number, n = 1): TestPeer {
  const peer = new TestPeer(n);
  for (let at = 0; at < count; at += 1) peer.write({ kind: `note.${'abcdefghij'[at % 10]}` });
  return peer;
}

function unsignedCopy({ op }: StoredOp): StoredOp {
  return decodeOp(encodeOp({ ...op, sig: new Uint8Array(64) }));
}

/** What anti-entropy does: each sends what the other's vector lacks, until both say the same. */
function exchange(a: TestPeer, b: TestPeer): number {
  for (let round = 1; round <= 10; round += 1) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const ranges = rangesMissing(holdingsOf(from.logs), vectorOf(to.logs));
      const wanted = ranges.flatMap((range) =>
        from.ops.filter(
          ({ op }) =>
            op.author === range.author &&
            op.epoch === range.epoch &&
            op.seq >= range.from &&
            op.seq <= range.to,
        ),
      );
      to.receive(wanted);
    }
    if (JSON.stringify(sorted(vectorOf(a.logs))) === JSON.stringify(sorted(vectorOf(b.logs)))) return round;
  }
  return Infinity;
}

const sorted = (vector: object) => Object.entries(vector).sort(([a], [b]) => a.localeCompare(b));
const idsOf = (ops: readonly StoredOp[]) => new Set(ops.map((op) => op.id));

test('a log is accepted in any order and any number of times', () => {
  const { ops, logs } = author(20);
  fc.assert(
    fc.property(fc.shuffledSubarray(ops, { minLength: 20 }), (shuffled) => {
      const once = acceptOps(emptyLogs(), shuffled, CLUSTER);
      expect(once.accepted.map(({ op }) => op.seq)).toEqual(ops.map(({ op }) => op.seq));
      expect(vectorOf(once.logs)).toEqual(vectorOf(logs));
      const again = acceptOps(once.logs, shuffled, CLUSTER);
      expect(again).toMatchObject({ accepted: [], rejected: [], gaps: [], equivocations: [] });
    }),
    { numRuns: 20 },
  );
});

test('one signature at the end proves the run below it', () => {
  const { ops } = author(5);
  const relayed = ops.map((op, at) => (at === 4 ? op : unsignedCopy(op)));
  expect(acceptOps(emptyLogs(), relayed, CLUSTER).accepted).toHaveLength(5);
});

test('a run whose end is not signed is accepted up to its last good signature', () => {
  const { ops } = author(5);
  const relayed = ops.map((op, at) => (at >= 3 ? unsignedCopy(op) : op));
  const { accepted, rejected, logs } = acceptOps(emptyLogs(), relayed, CLUSTER);
  expect(accepted.map(({ op }) => op.seq)).toEqual([0, 1, 2]);
  expect(idsOf(rejected as never)).toEqual(idsOf(ops.slice(3)));
  expect(acceptOps(logs, ops, CLUSTER).accepted).toHaveLength(2);
});

test('ops of another cluster are rejected', () => {
  const { ops } = author(1);
  const { rejected, accepted } = acceptOps(emptyLogs(), ops, 'd'.repeat(26) as ClusterId);
  expect(accepted).toEqual([]);
  expect(rejected[0]?.reason).toContain(CLUSTER);
});

test('an op that comes too early names the gap and is not kept', () => {
  const { ops, id, epoch } = author(6);
  const { logs } = acceptOps(emptyLogs(), ops.slice(0, 2), CLUSTER);
  const early = acceptOps(logs, ops.slice(4), CLUSTER);
  expect(early.gaps).toEqual([{ author: id, epoch, have: 1, got: 4 }]);
  expect(early.accepted).toEqual([]);
  expect(acceptOps(early.logs, ops, CLUSTER).accepted).toHaveLength(4);
});

test('two ops of one sequence number are both kept, and the epoch is sealed', () => {
  const original = author(3);
  const restored = author(2);
  restored.write({ kind: 'note.other' });
  const here = new TestPeer(9);
  here.receive(original.ops);
  const { accepted, equivocations } = here.receive(restored.ops);
  expect(accepted.map(({ id }) => id)).toEqual([restored.ops[2]?.id]);
  expect(equivocations).toEqual([{ author: original.id, epoch: original.epoch, seq: 2 }]);
  expect(isSealed(here.logs, original.id, original.epoch)).toBe(true);

  original.receive(restored.ops);
  expect(() => original.write({ kind: 'note.more' })).toThrow(/two ops of it bear one number/);
  original.epoch = testEpoch('a new one');
  const op = original.write({ kind: 'note.more' });
  expect([op.op.seq, op.op.prev]).toEqual([0, null]);
});

test('peers that hold different branches of one log come to hold both by vectors alone', () => {
  fc.assert(
    fc.property(fc.nat(4), fc.nat(4), fc.nat(6), (shared, more, other) => {
      const [original, clone] = [author(shared + more + 1), author(shared)];
      for (let at = 0; at <= other; at += 1) clone.write({ kind: 'note.other' });
      const [a, b] = [new TestPeer(8), new TestPeer(9)];
      a.receive(original.ops);
      b.receive(clone.ops);
      expect(exchange(a, b)).toBeLessThanOrEqual(5);
      const all = idsOf([...original.ops, ...clone.ops]);
      expect(idsOf(a.ops)).toEqual(all);
      expect(idsOf(b.ops)).toEqual(all);
    }),
    { numRuns: 50 },
  );
});

test('a log of which a branch is missing is asked for whole, and given to whoever lacks what is below that branch', () => {
  const [original, clone] = [author(5), author(3)];
  for (const kind of ['note.other', 'note.another']) clone.write({ kind });
  const here = new TestPeer(9);
  here.receive(original.ops);
  here.receive(clone.ops.slice(4));
  expect(vectorOf(here.logs)).toEqual({});
  const { id, epoch } = original;
  const there = restoreOps(
    emptyLogs(),
    clone.ops.filter(({ op }) => op.seq !== 1),
  );
  expect(rangesMissing(holdingsOf(here.logs), vectorOf(there))).toEqual([
    { author: id, epoch, from: 1, to: 4 },
  ]);
  here.receive(clone.ops);
  expect(vectorOf(here.logs)).toEqual(holdingsOf(here.logs));
});

test('a vector says exactly what another peer lacks', () => {
  const [a, b] = [author(5, 1), author(3, 2)];
  b.receive(a.ops.slice(0, 2));
  expect(rangesMissing(vectorOf(a.logs), vectorOf(b.logs))).toEqual([
    { author: a.id, epoch: a.epoch, from: 2, to: 4 },
  ]);
  expect(exchange(a, b)).toBe(1);
  expect(a.ops).toHaveLength(8);
});

test('a store that lost an op restores the log up to the hole', () => {
  const { ops, id, epoch, logs } = author(6);
  const restored = restoreOps(
    emptyLogs(),
    ops.filter(({ op }) => op.seq !== 3),
  );
  expect(vectorOf(restored)).toMatchObject({ [`${id}/${epoch}`]: 2 });
  expect(vectorOf(restoreOps(emptyLogs(), ops))).toEqual(vectorOf(logs));
});

test('drafts of one command name each other and chain onto the log', () => {
  const [peer] = cluster(1) as [TestPeer];
  const ops = peer.append([
    { parents: [], body: { kind: 'token.revoke', token: 'a' } },
    { parents: [draftRef(0)], body: { kind: 'token.revoke', token: 'b' } },
  ]);
  expect(ops[1]?.op).toMatchObject({ parents: [ops[0]?.id], prev: ops[0]?.id, seq: 3, body: { token: 'b' } });
  expect(() => peer.append([{ parents: [draftRef(0)], body: { kind: 'token.revoke', token: 'c' } }])).toThrow(
    /names no earlier draft/,
  );
});
