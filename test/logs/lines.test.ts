import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppId, PeerId } from '../../src/ids.ts';
import { matchesFilter } from '../../src/logs/filter.ts';
import { formatLogLine } from '../../src/logs/format.ts';
import type { LogLine } from '../../src/logs/line.ts';
import { mergeByTime } from '../../src/logs/merge.ts';
import { advance } from '../../src/logs/position.ts';
import { splitText } from '../../src/logs/split.ts';
import { BATCH_BYTES_MAX, encodeBatch, parseBatch, toWireLine, wireBytes } from '../../src/logs/wire.ts';

const app = 'a0000000-0000-4000-8000-000000000001' as AppId;

function lineOf(overrides: Partial<LogLine> = {}): LogLine {
  const peer = 'p1' as PeerId;
  return { app, timeUs: 1, source: 'app', process: 'web.1', text: 'hello', peer, seq: 1, ...overrides };
}

test('a line is written as Heroku writes it, with microseconds in UTC', () => {
  const timeUs = Date.UTC(2026, 0, 2, 3, 4, 7, 123) * 1_000 + 456;
  expect(formatLogLine(lineOf({ timeUs }))).toBe('2026-01-02T03:04:07.123456+00:00 app[web.1]: hello');
});

test('a text within the bound stays one line, without its line end', () => {
  expect(splitText('hello\n')).toEqual(['hello']);
  expect(splitText('')).toEqual(['']);
  expect(splitText('a\r\nb\n')).toEqual(['a', 'b']);
});

test('long texts are split into pieces within the bound that join to the same text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }).filter((text) => !/[\r\n]/.test(text)),
      fc.integer({ min: 4, max: 50 }),
      (text, bytesMax) => {
        const pieces = splitText(text, bytesMax);
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(bytesMax);
      },
    ),
  );
});

test('a half surrogate is replaced, so that every line can be encoded', () => {
  expect(splitText('a\ud800b')).toEqual(['a\ufffdb']);
});

test('a filter by process takes one dyno or all of a type, and no other type with the same beginning', () => {
  expect(matchesFilter({ process: 'web.1' }, lineOf())).toBe(true);
  expect(matchesFilter({ process: 'web' }, lineOf())).toBe(true);
  expect(matchesFilter({ process: 'web.10' }, lineOf())).toBe(false);
  expect(matchesFilter({ process: 'we' }, lineOf())).toBe(false);
  expect(matchesFilter({ process: 'router' }, lineOf({ source: 'heroku', process: 'router' }))).toBe(true);
  expect(matchesFilter({ source: 'heroku' }, lineOf())).toBe(false);
});

test('merging keeps every line, each peer in its own order, and time order where clocks do not jump', () => {
  const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(times, { maxLength: 5 }), fc.boolean(), (perPeer, isSorted) => {
      const streams = perPeer.map((peerTimes, peer) =>
        (isSorted ? peerTimes.toSorted((a, b) => a - b) : peerTimes).map((timeUs, index) =>
          lineOf({ timeUs, peer: `p${peer}` as PeerId, seq: index + 1 }),
        ),
      );
      const merged = mergeByTime(streams);
      for (const [peer, stream] of streams.entries()) {
        expect(merged.filter((line) => line.peer === `p${peer}`)).toEqual(stream);
      }
      expect(merged.length).toBe(streams.flat().length);
      if (isSorted)
        expect(merged.map((l) => l.timeUs)).toEqual(merged.map((l) => l.timeUs).toSorted((a, b) => a - b));
    }),
  );
});

test('a line that reached its peer late is merged where it belongs, and no process is told out of order', () => {
  const lines = [
    lineOf({ timeUs: 10, seq: 1 }),
    lineOf({ timeUs: 30, seq: 2 }),
    lineOf({ timeUs: 20, seq: 3, source: 'heroku', process: 'router' }),
    lineOf({ timeUs: 25, seq: 4 }),
  ];
  expect(mergeByTime([lines]).map(({ seq }) => seq)).toEqual([1, 3, 2, 4]);
});

test('a reader sees a hole, drops what it has seen, and starts anew when the peer restarted', () => {
  const first = advance(undefined, 1_000, 7);
  expect(first).toEqual({ position: { boot: 1_000, seq: 7 }, isFresh: true, missed: 0 });
  expect(advance(first.position, 1_000, 7).isFresh).toBe(false);
  expect(advance(first.position, 1_000, 10)).toMatchObject({ isFresh: true, missed: 2 });
  // A crash lost line 7 before it reached the disk: its number is given again.
  expect(advance(first.position, 2_000, 7)).toMatchObject({ isFresh: true, missed: 0 });
  expect(advance({ boot: 2_000, seq: 9 }, 1_000, 12).isFresh).toBe(false);
});

test('a batch reads back as it was written', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('app' as const, 'heroku' as const), text, text)),
      (lines) => {
        expect(parseBatch(encodeBatch({ boot: 5, seq: 3, lines }))).toEqual({ boot: 5, seq: 3, lines });
      },
    ),
  );
});

test('no bytes from outside make reading a batch throw', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseBatch(bytes)));
  expect(parseBatch(encodeBatch({ boot: 5, seq: -1, lines: [] }))).toBeNull();
});

test('a single line of control characters stays below the bound of a gossip message', () => {
  const line = lineOf({ text: '\u0001'.repeat(10_000), process: 'w'.repeat(128) });
  expect(wireBytes(line)).toBeLessThan(BATCH_BYTES_MAX);
  const batch = encodeBatch({ boot: Date.now(), seq: 1e9, lines: [toWireLine(line)] });
  expect(batch.length).toBeLessThan(16 * 1024);
});
