import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, type Duplex } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { BlobId } from '../../src/ids.ts';
import { isBlobId, parseAsk } from '../../agent/slugs/blob-channel.ts';
import { openBlobs, type BlobStore } from '../../agent/slugs/blob-store.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { MemoryMesh, peerId } from './memory-mesh.ts';

const log = pino({ level: 'silent' });
const soon = (): AbortSignal => AbortSignal.timeout(60_000);

async function openPeers(mesh: MemoryMesh, ...names: readonly string[]) {
  const dir = await tempDir();
  const stores: BlobStore[] = [];
  for (const name of names)
    stores.push(await openBlobs({ dir: join(dir.path, name), mesh: mesh.peer(name), log, freeBytesMin: 0 }));
  return {
    stores,
    dir: dir.path,
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

function idOf(bytes: Uint8Array): BlobId {
  const id = createHash('sha256').update(bytes).digest('hex');
  if (!isBlobId(id)) throw new Error(`No blob id: ${id}`);
  return id;
}

/** Serves `blob` by its own rule: called with the channel, after the request was read, and the offset asked for. */
function serveRaw(mesh: MemoryMesh, name: string, answer: (channel: Duplex, offset: number) => void): void {
  mesh.peer(name).serve('blob', (channel) => {
    channel.on('error', () => undefined);
    void once(channel, 'data').then(([line]: Buffer[]) =>
      answer(channel, parseAsk(JSON.parse(String(line)))?.offset ?? 0),
    );
  });
}

test('a blob is stored under its hash and found again after reopening', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a');
  const bytes = randomBytes(300_000);
  const { id, bytes: size } = await peers.stores[0]!.write(Readable.from([bytes]));
  expect(id).toBe(idOf(bytes));
  expect(size).toBe(300_000);
  await using again = await openBlobs({
    dir: join(peers.dir, 'a'),
    mesh: mesh.peer('a'),
    log,
    freeBytesMin: 0,
  });
  expect(again.list()).toEqual([id]);
  expect(await readFile(again.path(id))).toEqual(bytes);
});

test('what a crash left half-written is removed when the store opens', async () => {
  await using dir = await tempDir();
  await writeFile(join(dir.path, 'tmp-torn'), 'half');
  await using store = await openBlobs({
    dir: dir.path,
    mesh: new MemoryMesh().peer('a'),
    log,
    freeBytesMin: 0,
  });
  expect(store.list()).toEqual([]);
  expect(await readdir(dir.path)).toEqual([]);
});

test('nothing is stored that would leave less free space than the floor', async () => {
  await using dir = await tempDir();
  await using store = await openBlobs({
    dir: dir.path,
    mesh: new MemoryMesh().peer('a'),
    log,
    freeBytesMin: Number.MAX_SAFE_INTEGER,
  });
  await expect(store.write(Readable.from(['x']))).rejects.toMatchObject({ code: 'disk_full' });
  await expect(store.fetch(idOf(Buffer.from('x')), [peerId('b')], soon())).rejects.toMatchObject({
    code: 'disk_full',
  });
  expect(await readdir(dir.path)).toEqual([]);
});

test('a stream that breaks leaves nothing behind', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a');
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('some');
      throw new Error('broke off');
    })(),
  );
  await expect(peers.stores[0]!.write(broken)).rejects.toThrow('broke off');
  expect(await readdir(join(peers.dir, 'a'))).toEqual([]);
});

test('a blob is fetched from a peer that holds it, past peers that do not', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b', 'c');
  const [a, b] = peers.stores;
  const bytes = randomBytes(1_000_000);
  const { id } = await a!.write(Readable.from([bytes]));
  let changes = 0;
  b!.onChange(() => (changes += 1));
  await b!.fetch(id, [peerId('gone'), peerId('c'), peerId('a')], soon());
  expect(await readFile(b!.path(id))).toEqual(bytes);
  expect(changes).toBe(1);
});

test('an empty blob travels too', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b');
  const { id } = await peers.stores[0]!.write(Readable.from([]));
  await peers.stores[1]!.fetch(id, [peerId('a')], soon());
  expect(peers.stores[1]!.has(id)).toBe(true);
});

test('a fetch goes on at the next peer where the last one broke off', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b');
  const bytes = randomBytes(100_000);
  const { id } = await peers.stores[0]!.write(Readable.from([bytes]));
  serveRaw(mesh, 'short', (channel, offset) => {
    channel.end(Buffer.concat([Buffer.from(`{"size":${bytes.length}}\n`), bytes.subarray(offset, 40_000)]));
  });
  const offsets: number[] = [];
  serveRaw(mesh, 'rest', (channel, offset) => {
    offsets.push(offset);
    channel.end(Buffer.concat([Buffer.from(`{"size":${bytes.length}}\n`), bytes.subarray(offset)]));
  });
  await peers.stores[1]!.fetch(id, [peerId('short'), peerId('rest')], soon());
  expect(offsets).toEqual([40_000]);
});

test('a peer that lies is found out, and an honest one asked', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b');
  const bytes = randomBytes(50_000);
  const { id } = await peers.stores[0]!.write(Readable.from([bytes]));
  serveRaw(mesh, 'liar', (channel, offset) => {
    channel.end(
      Buffer.concat([Buffer.from(`{"size":${bytes.length}}\n`), randomBytes(bytes.length - offset)]),
    );
  });
  await peers.stores[1]!.fetch(id, [peerId('liar'), peerId('a')], soon());
  expect(await readFile(peers.stores[1]!.path(id))).toEqual(bytes);
});

test('only lies make a clear failure and leave nothing on disk', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'b');
  serveRaw(mesh, 'liar', (channel) => channel.end('{"size":3}\nabc'));
  const id = idOf(Buffer.from('abd'));
  await expect(peers.stores[0]!.fetch(id, [peerId('liar')], soon())).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(await readdir(join(peers.dir, 'b'))).toEqual([]);
});

test('a peer that gives nothing is left for the next one', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b');
  const { id } = await peers.stores[0]!.write(Readable.from([randomBytes(5_000)]));
  serveRaw(mesh, 'mute', () => undefined);
  await peers.stores[1]!.fetch(id, [peerId('mute'), peerId('a')], soon());
  expect(peers.stores[1]!.has(id)).toBe(true);
});

test('those who want one blob at the same time share one download', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b');
  const { id } = await peers.stores[0]!.write(Readable.from([randomBytes(200_000)]));
  await Promise.all(Array.from({ length: 5 }, () => peers.stores[1]!.fetch(id, [peerId('a')], soon())));
  expect(mesh.opened.filter((text) => text === 'b>a blob')).toHaveLength(1);
});

test('a fetch ends when its signal aborts, and the next one starts afresh', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b');
  const { id } = await peers.stores[0]!.write(Readable.from(['hello']));
  const { promise, resolve } = Promise.withResolvers<void>();
  serveRaw(mesh, 'mute', () => resolve());
  const stop = new AbortController();
  const first = peers.stores[1]!.fetch(id, [peerId('mute')], stop.signal);
  await promise;
  stop.abort();
  await expect(first).rejects.toMatchObject({ code: 'timeout' });
  await peers.stores[1]!.fetch(id, [peerId('a')], soon());
  expect(peers.stores[1]!.has(id)).toBe(true);
});

test('replicate gets as many copies as asked for, past peers that cannot', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b', 'c', 'd');
  const { id } = await peers.stores[0]!.write(Readable.from([randomBytes(500_000)]));
  mesh.disconnect('b');
  const to = ['a', 'b', 'c', 'd'].map(peerId);
  const holders = await peers.stores[0]!.replicate(id, to, 2, soon());
  expect([...holders].sort()).toEqual(['c', 'd']);
  expect(peers.stores.map((store) => store.has(id))).toEqual([true, false, true, true]);
});

test('replicate says truthfully that nobody took a copy', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b');
  const { id } = await peers.stores[0]!.write(Readable.from(['x']));
  mesh.disconnect('b');
  expect(await peers.stores[0]!.replicate(id, [peerId('b')], 2, soon())).toEqual([]);
});

test('a removed blob is gone here, and others are told so', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a', 'b');
  const { id } = await peers.stores[0]!.write(Readable.from(['x']));
  await peers.stores[0]!.remove(id);
  expect(() => peers.stores[0]!.path(id)).toThrow('not on this peer');
  await expect(peers.stores[1]!.fetch(id, [peerId('a')], soon())).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('a request that makes no sense gets no blob and does no harm', async () => {
  const mesh = new MemoryMesh();
  await using peers = await openPeers(mesh, 'a');
  for (const ask of ['{"id":"../key","offset":0}\n', 'nonsense\n', `${'x'.repeat(10_000)}\n`]) {
    const channel = await mesh.peer('stranger').open(peerId('a'), 'blob', soon());
    channel.on('error', () => undefined);
    const closed = once(channel, 'close');
    channel.resume();
    channel.end(ask);
    await closed;
  }
  expect((await peers.stores[0]!.write(Readable.from(['x']))).bytes).toBe(1);
});
