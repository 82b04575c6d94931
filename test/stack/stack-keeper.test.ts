import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { StackKeeper } from '../../agent/stack/stack-keeper.ts';
import type { BlobId } from '../../src/ids.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import { FileBlobs } from '../api/file-blobs.ts';
import { clusterWithApp, type TestPeer } from '../ledger/builders.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { MemoryEngine } from './memory-engine.ts';

const log = pino({ level: 'silent' });

function peerWithStack(blob: BlobId): TestPeer {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('No peer');
  peer.run({ type: 'stack.set', name: STACK_IMAGE, arch: 'x64', blob, bytes: 5 });
  return peer;
}

test('a stack that the ledger names comes into the Engine once, and the agent hears of it', async () => {
  await using dir = await tempDir('kith-stack-');
  const blobs = new FileBlobs(join(dir.path));
  const { id } = await blobs.write(Readable.from(['stack']));
  const engine = new MemoryEngine();
  const connect = async () => engine;
  await using keeper = new StackKeeper({
    image: STACK_IMAGE,
    arch: 'x64',
    blobs,
    holders: () => [],
    log,
    connect,
  });
  const { view } = peerWithStack(id);
  let heard = 0;
  keeper.follow(view, () => (heard += 1));
  await eventually(() => heard === 1);
  keeper.follow(view, () => (heard += 1));
  expect(await keeper.status()).toEqual({ engine: true, image: STACK_IMAGE, present: true, blob: id });
  expect(heard).toBe(1);
});

test('an Engine that has the stack at the start is left alone, and so is one of another architecture', async () => {
  await using dir = await tempDir('kith-stack-');
  const blobs = new FileBlobs(dir.path);
  const { id } = await blobs.write(Readable.from(['stack']));
  const engine = new MemoryEngine();
  const connect = async () => engine;
  const parts = { image: STACK_IMAGE, blobs, holders: () => [], log, connect };
  await using keeper = new StackKeeper({ ...parts, arch: 'x64' });
  await keeper.prepare({ blob: id });
  expect(engine.images.get(STACK_IMAGE)).toEqual({ blob: id });
  engine.refusal = new Error('not to be asked');
  const { view } = peerWithStack(id);
  const unexpected = (): never => {
    throw new Error('Nothing was to come');
  };
  keeper.follow(view, unexpected);
  await using other = new StackKeeper({ ...parts, arch: 'arm64' });
  other.follow(view, unexpected);
  expect(engine.images.size).toBe(1);
});
