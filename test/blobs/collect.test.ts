import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { blobsToRemove, type CollectInput } from '../../src/blobs/collect.ts';
import type { BlobId, PeerId } from '../../src/ids.ts';

const DAY_MS = 24 * 3_600_000;
const PEERS = Array.from({ length: 6 }, (_, n) => `peer-${n}` as PeerId);

function input(more: Partial<CollectInput>): CollectInput {
  return {
    me: 'peer-0' as PeerId,
    held: [],
    inReach: new Set(),
    inUse: new Set(),
    holders: () => [],
    budgetBytes: 1_000_000,
    now: 10 * DAY_MS,
    ...more,
  };
}

function blob(id: string, since = 0, bytes = 100): CollectInput['held'][number] {
  return { id: id as BlobId, bytes, since };
}

test('what the ledger does not know goes after a day, not before: its release may still come', () => {
  const held = [blob('old', 8 * DAY_MS), blob('new', 10 * DAY_MS - 1_000)];
  expect(blobsToRemove(input({ held }))).toEqual(['old']);
});

test('what is needed stays below the budget, however many peers hold it', () => {
  const held = [blob('slug')];
  expect(blobsToRemove(input({ held, inReach: new Set(['slug']), holders: () => PEERS }))).toEqual([]);
});

test('a slug that a dyno runs from stays, whatever the budget', () => {
  const held = [blob('slug')];
  const found = blobsToRemove(
    input({ held, inUse: new Set(['slug']), holders: () => PEERS, budgetBytes: 0 }),
  );
  expect(found).toEqual([]);
});

test('however tight every budget is, three peers that hold a blob keep it', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(names, fc.subarray(PEERS, { minLength: 1 }), (blobs, peers) => {
      const kept = new Map(blobs.map((id) => [id, 0]));
      for (const me of peers) {
        const gone = new Set<string>(
          blobsToRemove(
            input({
              me,
              held: blobs.map((id) => blob(id)),
              inReach: new Set(blobs),
              holders: () => peers.filter((peer) => peer !== me),
              budgetBytes: 0,
            }),
          ),
        );
        for (const id of blobs) if (!gone.has(id)) kept.set(id, (kept.get(id) ?? 0) + 1);
      }
      for (const copies of kept.values()) expect(copies).toBe(Math.min(3, peers.length));
    }),
  );
});
