import { PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeFrames,
  encodeFrame,
  FRAME,
  FRAME_BYTES_MAX,
  FrameDecoder,
  parseExit,
  parseResize,
  type Frame,
} from '../../src/platform/attach-frames.ts';
import { eventually } from '../helpers/eventually.ts';

test('frames read back whatever chunks they come in', () => {
  const frame = fc.record({
    type: fc.constantFrom(FRAME.data, FRAME.resize, FRAME.exit, FRAME.eof, FRAME.error),
    payload: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(fc.array(frame), fc.integer({ min: 1, max: 64 }), (frames, chunkBytes) => {
      const bytes = Buffer.concat(frames.map(({ type, payload }) => encodeFrame(type, payload)));
      const decoder = new FrameDecoder();
      const found: Frame[] = [];
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        found.push(...decoder.push(bytes.subarray(at, at + chunkBytes)));
      }
      expect(found.map(({ type, payload }) => ({ type, payload: new Uint8Array(payload) }))).toEqual(frames);
    }),
  );
});

test('a frame of the largest size passes, one byte more is refused on both sides', () => {
  const largest = Buffer.alloc(FRAME_BYTES_MAX, 7);
  const decoder = new FrameDecoder();
  const encoded = encodeFrame(FRAME.data, largest);
  expect(decoder.push(encoded.subarray(0, 100_000))).toEqual([]);
  expect(decoder.push(encoded.subarray(100_000))[0]?.payload.equals(largest)).toBe(true);
  expect(() => encodeFrame(FRAME.data, Buffer.alloc(FRAME_BYTES_MAX + 1))).toThrow(/frame of 1048577 bytes/);
  expect(() => new FrameDecoder().push(Buffer.from([0, 0, 0x10, 0, 1]))).toThrow(/frame of 1048577 bytes/);
});

test('hostile bytes end the stream with an error and never reach the handler', async () => {
  const stream = new PassThrough();
  const errors: Error[] = [];
  stream.on('error', (error) => errors.push(error));
  decodeFrames(stream, () => expect.unreachable());
  stream.write(Buffer.from([9, 0, 0, 0, 0]));
  await eventually(() => stream.destroyed && errors.length > 0);
  expect(errors.map((error) => error.message)).toEqual(['Cannot read the attach stream: found frame type 9']);
});

test('records of resize and exit frames are checked before use', () => {
  expect(parseResize(Buffer.from('{"columns":80,"rows":24}'))).toEqual({ columns: 80, rows: 24 });
  expect(() => parseResize(Buffer.from('{"columns":0,"rows":24}'))).toThrow(/from 1 to 65535/);
  expect(() => parseResize(Buffer.from('{'))).toThrow(/no JSON/);
  expect(() => parseExit(Buffer.from('7'))).toThrow(/no record/);
  expect(parseExit(Buffer.from('{"status":null,"signal":"SIGKILL"}'))).toEqual({
    status: null,
    signal: 'SIGKILL',
  });
});
