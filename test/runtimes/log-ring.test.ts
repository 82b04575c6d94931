import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogRing, RING_BYTES_MAX } from '../../agent/runtimes/keeper/log-ring.ts';

function append(ring: LogRing, line: Buffer, timeUs: number): void {
  ring.append(line, 0, line.length, timeUs);
}

function drain(ring: LogRing, from: number): { seqs: number[]; texts: string[] } {
  const seqs: number[] = [];
  const texts: string[] = [];
  for (let next = from; ;) {
    const lines = ring.read(next, 1_000);
    const last = lines.at(-1);
    if (last === undefined) return { seqs, texts };
    seqs.push(...lines.map(([seq]) => seq));
    texts.push(...lines.map(([, , text]) => text));
    next = last[0] + 1;
  }
}

test('what is read is what was appended, from any line on', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.nat({ max: 30 }), (texts, from) => {
      const ring = new LogRing();
      for (const [index, text] of texts.entries()) append(ring, Buffer.from(text), index);
      const wanted = texts.slice(Math.max(from - 1, 0));
      expect(drain(ring, from).texts).toEqual(wanted.map((text) => Buffer.from(text).toString()));
    }),
  );
});

test('when it is full the oldest lines are gone, the newest are there, and the numbers show the gap', () => {
  const ring = new LogRing();
  const line = Buffer.alloc(1_000, 'x');
  for (let index = 0; index < 5_000; index += 1) append(ring, line, index);
  const { seqs } = drain(ring, 1);
  expect(seqs.at(-1)).toBe(5_000);
  expect(seqs[0]).toBeGreaterThan(1);
  expect(seqs.length * 1_000).toBeLessThan(RING_BYTES_MAX);
  expect(seqs.length * 1_000).toBeGreaterThan(RING_BYTES_MAX * 0.9);
  expect(seqs).toEqual(Array.from(seqs, (_, index) => (seqs[0] ?? 0) + index));
});

test('a line keeps its time to the microsecond', () => {
  const ring = new LogRing();
  append(ring, Buffer.from('x'), 1_795_305_419_057_123);
  expect(ring.read(1, 100)).toEqual([[1, 1_795_305_419_057_123, 'x']]);
});
