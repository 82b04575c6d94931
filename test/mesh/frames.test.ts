import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openEnvelope, sealEnvelope } from '../../agent/mesh/envelope.ts';
import { FRAME, FrameReader, HEADER_BYTES, writeHeader } from '../../agent/mesh/frames.ts';
import { identityFromSeed, isSignedBy, peerOfRawKey, rawKeyOf } from '../../agent/mesh/identity.ts';
import type { PeerId } from '../../src/ids.ts';

function frame(type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + payload.length);
  writeHeader(bytes, type, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

test('frames are the same however the bytes arrive', () => {
  const payload = fc.uint8Array({ maxLength: 300 });
  const frames = fc.array(fc.record({ isNote: fc.boolean(), payload }), { maxLength: 20 });
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 200 })), (list, sizes) => {
      const all = Buffer.concat(
        list.map(({ isNote, payload: bytes }) => frame(isNote ? FRAME.note : FRAME.data, bytes)),
      );
      const data: Uint8Array[] = [];
      const notes: Uint8Array[] = [];
      const reader = new FrameReader({
        onData: (chunk) => data.push(chunk),
        onFrame: (_, note) => notes.push(Buffer.from(note)),
      });
      let at = 0;
      for (const size of sizes) {
        if (at >= all.length) break;
        reader.push(all.subarray(at, at + size));
        at += size;
      }
      const sent = (isNote: boolean): Buffer[] =>
        list.filter((one) => one.isNote === isNote).map((one) => Buffer.from(one.payload));
      expect(Buffer.concat(data)).toEqual(Buffer.concat(sent(false)));
      expect(notes.map((note) => Buffer.from(note))).toEqual(sent(true));
    }),
  );
});

test('an envelope opens for its topic only, and no byte of it can be changed', async () => {
  const identity = await identityFromSeed(randomBytes(32));
  const sealed = sealEnvelope(identity, 'ops', 7n, Buffer.from('data'));
  const opened = openEnvelope('ops', sealed);
  expect(opened?.from).toBe(identity.self);
  expect(Buffer.from(opened?.data ?? []).toString()).toBe('data');
  expect(openEnvelope('facts', sealed)).toBeNull();
  expect(openEnvelope('ops', sealed.subarray(0, 50))).toBeNull();
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(openEnvelope('ops', changed), `byte ${at}`).toBeNull();
  }
});

test('a peer id is its key, and what is no peer id has none', async () => {
  const identity = await identityFromSeed(randomBytes(32));
  const key = rawKeyOf(identity.self);
  expect(key).toHaveLength(32);
  expect(peerOfRawKey(key ?? new Uint8Array(32))).toBe(identity.self);
  expect(isSignedBy(identity.self, Buffer.from('x'), identity.sign(Buffer.from('x')))).toBe(true);
  expect(isSignedBy(identity.self, Buffer.from('y'), identity.sign(Buffer.from('x')))).toBe(false);
  for (const bad of ['', 'not base58 !', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'])
    expect(rawKeyOf(bad as PeerId)).toBeNull();
});
