import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Duplex, PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import type { Mesh } from '../../src/shell/mesh.ts';
import { eventually } from '../helpers/eventually.ts';
import { LINKED_MS, startChildPeer, startPair, startPeer, memberOf } from './peers.ts';

const MIB = 1024 * 1024;

function open(from: Mesh, to: Mesh, service: string): Promise<Duplex> {
  return from.open(to.self, service, AbortSignal.timeout(60_000));
}

function* chunks(bytes: number, chunk: Buffer): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk.subarray(0, bytes - sent);
}

/** The code of the error that a channel closed with, if any. */
function closed(channel: Duplex): Promise<string | undefined> {
  return new Promise((resolve) => {
    let code: string | undefined;
    channel.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
    channel.on('close', () => resolve(code));
  });
}

async function digest(channel: Duplex): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of channel as AsyncIterable<Buffer>) hash.update(part);
  return hash.digest('hex');
}

test('a channel carries bytes both ways, and each side ends by itself', async () => {
  await using pair = await startPair();
  pair.high.serve('echo', (channel) => channel.pipe(channel));
  const channel = await open(pair.low, pair.high, 'echo');
  channel.write('hello ');
  channel.end('world');
  const answer = await Array.fromAsync(channel as AsyncIterable<Buffer>);
  expect(Buffer.concat(answer).toString()).toBe('hello world');
});

test('one side may go on writing after the other ended', async () => {
  await using pair = await startPair();
  const bytes = 5 * MIB;
  pair.high.serve('answer after all is read', (channel) => {
    channel.resume();
    channel.on('end', () => void pipeline(Readable.from(chunks(bytes, randomBytes(1000))), channel));
  });
  const channel = await open(pair.low, pair.high, 'answer after all is read');
  channel.end('question');
  let received = 0;
  for await (const part of channel as AsyncIterable<Buffer>) received += part.length;
  expect(received).toBe(bytes);
});

test('what arrives is what was sent, in odd pieces and on many channels at once', async () => {
  await using pair = await startPair();
  pair.high.serve('digest', (channel, from) => {
    expect(from).toBe(pair.low.self);
    void digest(channel).then((hex) => channel.end(hex));
  });
  // All are open before the first is written to: what is under way must not take the time that an opening has.
  const all = await Promise.all(Array.from({ length: 100 }, () => open(pair.low, pair.high, 'digest')));
  const sums = await Promise.all(
    all.map(async (channel, index) => {
      const data = randomBytes(100_000 + index * 7919);
      Readable.from(chunks(data.length, data)).pipe(channel);
      const answer = Buffer.concat(await Array.fromAsync(channel as AsyncIterable<Buffer>)).toString();
      return answer === createHash('sha256').update(data).digest('hex');
    }),
  );
  expect(sums).toEqual(sums.map(() => true));
});

test('a writer waits for a slow reader, and memory stays flat', async () => {
  await using pair = await startPair();
  const gate = new PassThrough({ highWaterMark: 1 });
  const bytes = 256 * MIB;
  let received = 0;
  pair.high.serve('slow', (channel) => {
    channel.pipe(gate);
  });
  const channel = await open(pair.low, pair.high, 'slow');
  let sent = 0;
  const counted = (function* () {
    for (const chunk of chunks(bytes, Buffer.alloc(64 * 1024))) {
      sent += chunk.length;
      yield chunk;
    }
  })();
  const writing = pipeline(Readable.from(counted), channel, { end: true });
  // Nobody reads: the writer stops after what may be in flight.
  let before = -1;
  await eventually(
    () => {
      const isStill = sent === before;
      before = sent;
      return isStill;
    },
    { everyMs: 300 },
  );
  expect(sent).toBeLessThan(8 * MIB);
  const rssBefore = process.memoryUsage().rss;
  let rssMax = 0;
  for await (const part of gate as AsyncIterable<Buffer>) {
    received += part.length;
    rssMax = Math.max(rssMax, process.memoryUsage().rss);
    if (received === bytes) break;
  }
  channel.destroy();
  await writing.catch(() => undefined);
  expect(received).toBe(bytes);
  expect(rssMax - rssBefore).toBeLessThan(128 * MIB);
});

test('bulk both ways between two processes never locks up', async () => {
  await using self = await startPeer();
  await using child = await startChildPeer(randomBytes(32));
  const members = [memberOf(self), child.member];
  self.setMembers(members);
  child.setMembers(members);
  await eventually(() => self.isConnected(child.member.peer), { withinMs: LINKED_MS });
  const bytes = 30 * MIB;
  const echoed = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const channel = await self.open(child.member.peer, 'echo', AbortSignal.timeout(60_000));
      Readable.from(chunks(bytes, randomBytes(50_000))).pipe(channel);
      let received = 0;
      for await (const part of channel as AsyncIterable<Buffer>) received += part.length;
      return received;
    }),
  );
  expect(echoed).toEqual(Array.from({ length: 8 }, () => bytes));
});

test('destroying one end resets the other', async () => {
  await using pair = await startPair();
  const { promise, resolve } = Promise.withResolvers<Duplex>();
  pair.high.serve('victim', resolve);
  const channel = await open(pair.low, pair.high, 'victim');
  const other = await promise;
  channel.write('half a sen');
  await once(other, 'readable');
  const code = closed(other);
  channel.destroy();
  expect(await code).toBe('ECONNRESET');
});

test('the death of a peer closes its channels', async () => {
  await using pair = await startPair();
  pair.high.serve('hold', (channel) => channel.resume());
  const channel = await open(pair.low, pair.high, 'hold');
  const code = closed(channel);
  await pair.high[Symbol.asyncDispose]();
  expect(await code).toBe('ECONNRESET');
});

test('a service that nobody serves is refused, and so is one of a peer that is not there', async () => {
  await using pair = await startPair();
  await expect(open(pair.low, pair.high, 'nothing')).rejects.toMatchObject({ code: 'unavailable' });
  await using stranger = await startPeer();
  await expect(open(pair.low, stranger, 'echo')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('not connected') as unknown,
  });
});

test('a failing service handler costs its channel only', async () => {
  await using pair = await startPair();
  pair.high.serve('broken', () => {
    throw new Error('bug');
  });
  pair.high.serve('echo', (channel) => channel.pipe(channel));
  const broken = await open(pair.low, pair.high, 'broken');
  if (!broken.destroyed) await closed(broken);
  const channel = await open(pair.low, pair.high, 'echo');
  channel.end('fine');
  expect(Buffer.concat(await Array.fromAsync(channel as AsyncIterable<Buffer>)).toString()).toBe('fine');
});
