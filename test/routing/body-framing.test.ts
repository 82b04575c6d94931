import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanBody } from '../../src/routing/body-framing.ts';
import { BAD_CHUNKS } from './helpers/smuggling-corpus.ts';

/** Splits bytes at these places. */
function pieces(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((each) => each % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

function encode(chunks: readonly Uint8Array[], trailers: string): Buffer {
  const parts = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)};x=y\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailers}\r\n`)]);
}

test.for(BAD_CHUNKS)('refused: %s', ([, body]) => {
  const scanner = scanBody('chunked');
  scanner.push(Buffer.from(body, 'latin1'), 0);
  expect(scanner.error).not.toBe(null);
  expect(scanner.isDone).toBe(false);
});

test('a chunked body ends at its last byte and holds what was put in, however it is split', () => {
  const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const trailers = fc.constantFrom('', 'X-Sum: 1\r\n', 'A: b\r\nC: d\r\n');
  fc.assert(
    fc.property(fc.array(chunk), trailers, fc.array(fc.nat()), fc.string(), (chunks, trailer, at, rest) => {
      const body = encode(chunks, trailer);
      const scanner = scanBody('chunked');
      const content: Buffer[] = [];
      let consumed = 0;
      for (const piece of pieces(Buffer.concat([body, Buffer.from(rest)]), at)) {
        consumed += scanner.push(piece, 0, (each) => content.push(Buffer.from(each)));
      }
      expect(scanner.error).toBe(null);
      expect(scanner.isDone).toBe(true);
      expect(consumed).toBe(body.length);
      expect(Buffer.concat(content)).toEqual(Buffer.concat(chunks));
    }),
  );
});

test('any bytes as chunks are followed or refused, and the same however they are split', () => {
  const part = fc.constantFrom('5\r\nhello\r\n', '0\r\n', '\r\n', 'a', ';', '\n', 'X: y\r\n', '10\r\n');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.array(fc.nat()), (parts, at) => {
      const bytes = Buffer.from(parts.join(''));
      const whole = scanBody('chunked');
      const end = whole.push(bytes, 0);
      const split = scanBody('chunked');
      let consumed = 0;
      for (const piece of pieces(bytes, at)) consumed += split.push(piece, 0);
      expect([consumed, split.isDone, split.error]).toEqual([end, whole.isDone, whole.error]);
    }),
  );
});

test('a body of a given length leaves the rest alone', () => {
  const scanner = scanBody(5);
  expect(scanner.push(Buffer.from('abc'), 0)).toBe(3);
  expect(scanner.isDone).toBe(false);
  expect(scanner.push(Buffer.from('xdefg'), 1)).toBe(3);
  expect(scanner.isDone).toBe(true);
  expect(scanBody(0).isDone).toBe(true);
});

test('a body that ends with the connection takes all there is', () => {
  const scanner = scanBody('close');
  expect(scanner.push(Buffer.from('abc'), 1)).toBe(3);
  expect([scanner.isDone, scanner.endsWithConnection]).toEqual([false, true]);
});
