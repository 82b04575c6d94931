import { expect, test } from 'vitest';
import { ensureStack, type StackSource } from '../../agent/stack/ensure-stack.ts';
import type { BlobId, PeerId } from '../../src/ids.ts';
import { MemoryEngine } from './memory-engine.ts';

const IMAGE = 'kith/stack:bookworm';
const BLOB = 'a'.repeat(64) as BlobId;
const OTHER = 'b'.repeat(64) as BlobId;
const PEER = 'peer' as PeerId;

function cluster(blob: BlobId | null, held: readonly BlobId[], holders: readonly PeerId[] = []): StackSource {
  const here = new Set(held);
  return {
    from: 'cluster',
    blob,
    blobs: {
      has: (id) => here.has(id),
      path: (id) => `/blobs/${id}`,
      async fetch(id) {
        here.add(id);
      },
    },
    holders: () => holders,
  };
}

const ensure = (engine: MemoryEngine, source: StackSource) =>
  ensureStack(engine, IMAGE, source, AbortSignal.timeout(60_000));

test('an image made from the blob that the ledger names is ready as it is', async () => {
  const engine = new MemoryEngine();
  engine.images.set(IMAGE, { blob: BLOB });
  engine.refusal = new Error('not to be asked');
  expect(await ensure(engine, cluster(BLOB, []))).toBe('ready');
});

test('a blob that is here becomes the image, and replaces an older one', async () => {
  const engine = new MemoryEngine();
  engine.images.set(IMAGE, { blob: OTHER });
  expect(await ensure(engine, cluster(BLOB, [BLOB]))).toBe('ready');
  expect(engine.images.get(IMAGE)).toEqual({ blob: BLOB });
});

test('a blob that is elsewhere is fetched first', async () => {
  const engine = new MemoryEngine();
  expect(await ensure(engine, cluster(BLOB, [], [PEER]))).toBe('ready');
  expect(engine.images.get(IMAGE)).toEqual({ blob: BLOB });
});

test('where nobody has the stack, the reason says so', async () => {
  expect(await ensure(new MemoryEngine(), cluster(BLOB, []))).toBe('no peer that is up has the stack');
  expect(await ensure(new MemoryEngine(), cluster(null, []))).toBe(`the stack image "${IMAGE}" is not here`);
});

test('an image that was put into the Engine by hand serves until a better one can be had', async () => {
  const engine = new MemoryEngine();
  engine.images.set(IMAGE, { blob: null });
  expect(await ensure(engine, cluster(null, []))).toBe('ready');
  engine.refusal = new Error('no space left on device');
  expect(await ensure(engine, cluster(BLOB, [BLOB]))).toBe('ready');
});

test('what the Engine says against an import or a pull is the reason', async () => {
  const engine = new MemoryEngine();
  engine.refusal = new Error('no space left on device');
  const expected = `the stack image "${IMAGE}" could not be had: no space left on device`;
  expect(await ensure(engine, cluster(BLOB, [BLOB]))).toBe(expected);
  expect(await ensure(engine, { from: 'registry' })).toBe(expected);
});

test('a registry image is pulled once', async () => {
  const engine = new MemoryEngine();
  expect(await ensure(engine, { from: 'registry' })).toBe('ready');
  expect(await ensure(engine, { from: 'registry' })).toBe('ready');
  expect(engine.pulled).toEqual([IMAGE]);
});
