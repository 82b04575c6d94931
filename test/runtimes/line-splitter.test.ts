import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LINE_BYTES_MAX, LineSplitter } from '../../agent/runtimes/keeper/line-splitter.ts';

function split(chunks: readonly Uint8Array[]): Buffer[] {
  const lines: Buffer[] = [];
  const splitter = new LineSplitter((bytes, start, end) => {
    lines.push(Buffer.from(bytes.subarray(start, end)));
  });
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.flush();
  return lines;
}

test('lines are the same however the stream was cut into chunks', () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((data) => data.map((byte) => (byte < 80 ? 10 : byte)));
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 20 }), (chunks) => {
      expect(split(chunks)).toEqual(split([Buffer.concat(chunks)]));
    }),
  );
});

test('text comes back line by line, without line ends', () => {
  expect(split([Buffer.from('one\n\ntwo\r\nth'), Buffer.from('ree')]).map(String)).toEqual([
    'one',
    '',
    'two',
    'three',
  ]);
});

test('a line of just 10,000 bytes is one, a longer one is cut between characters', () => {
  const exact = 'x'.repeat(LINE_BYTES_MAX);
  expect(split([Buffer.from(`${exact}\n${exact}`), Buffer.from('\n')]).map(String)).toEqual([exact, exact]);
  for (const character of ['é', '€', '😀', 'x']) {
    const text = `a${character.repeat(30_000)}`;
    const parts = split([Buffer.from(`${text}\n`)]);
    expect(parts.map(String).join('')).toBe(text);
    expect(parts.every((part) => part.length <= LINE_BYTES_MAX && part.length > 0)).toBe(true);
  }
});

test('bytes that are no UTF-8 are cut at 10,000 too, and none is lost', () => {
  const bytes = Buffer.alloc(25_000, 0x80);
  expect(Buffer.concat(split([bytes])).equals(bytes)).toBe(true);
});
