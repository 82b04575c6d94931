import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppId, PeerId } from '../../src/ids.ts';
import { drainDelayMs } from '../../src/logs/drain-back-off.ts';
import {
  DRAIN_MESSAGES_MAX,
  DrainBuffer,
  type DrainBatch,
  type DrainLine,
} from '../../src/logs/drain-buffer.ts';
import { DrainCursor, parseRows, toRows } from '../../src/logs/drain-cursor.ts';

const ash = 'ash' as PeerId;
const birch = 'birch' as PeerId;

function lineOf(seq: number, peer: PeerId = ash, boot = 1): DrainLine {
  const line = { app: 'a' as AppId, timeUs: seq, source: 'app', process: 'web.1', peer, seq } as const;
  return { line: { ...line, text: `line ${seq}` }, boot };
}

function texts({ messages }: DrainBatch): readonly string[] {
  return messages.map(({ text }) => text);
}

test('a buffer that overflows keeps the newest, and says first how many it dropped', () => {
  const buffer = new DrainBuffer(new DrainCursor());
  for (let seq = 1; seq <= DRAIN_MESSAGES_MAX + 10; seq += 1) buffer.push(lineOf(seq));
  const batch = buffer.take(2, 1_000, 5_000_000);
  expect(batch.dropped).toBe(10);
  expect(texts(batch)).toEqual([
    'Error L10 (output buffer overflow): 10 messages dropped since 1970-01-01T00:00:00.000001+00:00.',
    'line 11',
    'line 12',
  ]);
  expect(texts(buffer.take(1, 1_000, 0))).toEqual(['line 13']);
});

test('a batch ends before too many bytes, but holds a message however long it is', () => {
  const buffer = new DrainBuffer(new DrainCursor());
  for (let seq = 1; seq <= 5; seq += 1) buffer.push(lineOf(seq));
  expect(texts(buffer.take(10, 13, 0))).toEqual(['line 1', 'line 2']);
  expect(texts(buffer.take(10, 1, 0))).toEqual(['line 3']);
});

test('the cursor is where what is settled ends, in each peer’s lines', () => {
  const cursor = new DrainCursor();
  const buffer = new DrainBuffer(cursor);
  for (const seq of [1, 2, 3]) buffer.push(lineOf(seq));
  buffer.push(lineOf(7, birch, 4));
  const first = buffer.take(2, 1_000, 0);
  expect(cursor.positions.size).toBe(0);
  buffer.settle(first);
  expect(toRows(cursor.positions)).toEqual([[ash, 1, 2]]);
  buffer.settle(buffer.take(2, 1_000, 0));
  expect(toRows(cursor.positions)).toEqual([
    [ash, 1, 3],
    [birch, 4, 7],
  ]);
});

test('what is put back goes out again in its order, with the notice that was with it', () => {
  const buffer = new DrainBuffer(new DrainCursor());
  buffer.lose(3, 1_000_000);
  for (const seq of [1, 2, 3]) buffer.push(lineOf(seq));
  buffer.putBack(buffer.take(2, 1_000, 0), 2_000_000);
  const again = buffer.take(10, 1_000, 0);
  expect(again.dropped).toBe(3);
  expect(texts(again).slice(1)).toEqual(['line 1', 'line 2', 'line 3']);
});

test('every message is sent, under way, or counted as dropped', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ do: fc.constantFrom('settle' as const, 'putBack' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const buffer = new DrainBuffer(new DrainCursor());
      let pushed = 0;
      let settled = 0;
      let told = 0;
      let underWay: DrainBatch[] = [];
      for (const each of steps) {
        if (each.do === 'push') for (let i = 0; i < each.count; i += 1) buffer.push(lineOf((pushed += 1)));
        if (each.do === 'take') underWay.push(buffer.take(each.count, 1e9, 0));
        if (each.do === 'settle') {
          const batch = underWay.shift();
          if (batch === undefined) continue;
          buffer.settle(batch);
          settled += batch.lines.length;
          told += batch.dropped;
        }
        if (each.do === 'putBack') {
          for (const batch of underWay.reverse()) buffer.putBack(batch, 0);
          underWay = [];
        }
        expect(buffer.size).toBeLessThanOrEqual(DRAIN_MESSAGES_MAX);
      }
      for (const batch of underWay.reverse()) buffer.putBack(batch, 0);
      const rest = buffer.take(DRAIN_MESSAGES_MAX, 1e9, 0);
      expect(settled + rest.lines.length + told + rest.dropped).toBe(pushed);
    }),
  );
});

test('cursors that were merged in any order are the same, and never go back', () => {
  const position = fc.record({ boot: fc.nat(3), seq: fc.nat(9) });
  const rows = fc.array(fc.tuple(fc.constantFrom(ash, birch), position), { maxLength: 12 });
  fc.assert(
    fc.property(rows, (all) => {
      const [a, b] = [new DrainCursor(), new DrainCursor()];
      for (const [peer, each] of all) a.pass(peer, each);
      for (const [peer, each] of all.toReversed()) b.pass(peer, each);
      expect(new Map(a.positions)).toEqual(new Map(b.positions));
      expect(a.merge(b.positions)).toBe(false);
      expect(parseRows(JSON.parse(JSON.stringify(toRows(a.positions))))).toEqual(new Map(a.positions));
    }),
  );
});

test.each([null, {}, [1], [['ash', 1]], [['ash', -1, 2]], [['x'.repeat(100), 1, 2]]])(
  '%j is no list of positions',
  (value) => {
    expect(parseRows(value)).toBeNull();
  },
);

test('waits between tries double up to five minutes', () => {
  expect([1, 2, 3, 9, 10, 500].map((failures) => drainDelayMs(failures, 1))).toEqual([
    1_000, 2_000, 4_000, 256_000, 300_000, 300_000,
  ]);
  expect(drainDelayMs(1, 0)).toBe(500);
});
