import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { PeerId } from '../../src/ids.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort } from '../helpers/free-port.ts';
import {
  allLinked,
  collectFrames,
  introduce,
  LINKED_MS,
  memberOf,
  startChildPeer,
  startCluster,
  startPair,
  startPeer,
} from './peers.ts';

const KIB = 1024;

test('frames travel both ways, whole and in order, whatever their size', async () => {
  await using pair = await startPair();
  const { low, high } = pair;
  const received = new Map<PeerId, Buffer[]>([
    [low.self, []],
    [high.self, []],
  ]);
  low.onFrame((from, frame) => received.get(from)?.push(Buffer.from(frame)));
  high.onFrame((from, frame) => received.get(from)?.push(Buffer.from(frame)));
  const frames = [0, 1, 5, 300 * KIB, 0, 64 * KIB, 1024 * KIB, 3].map((bytes) => randomBytes(bytes));
  for (const frame of frames) {
    expect(low.send(high.self, frame)).toBe(true);
    expect(high.send(low.self, frame)).toBe(true);
  }
  await eventually(() => [...received.values()].every((list) => list.length === frames.length));
  for (const list of received.values()) expect(list.every((f, i) => f.equals(frames[i] ?? f))).toBe(true);
});

test('ten thousand small frames keep their order', async () => {
  await using pair = await startPair();
  const frames = collectFrames(pair.high);
  for (let n = 0; n < 10_000; n += 1) expect(pair.low.send(pair.high.self, Buffer.from(`${n}`))).toBe(true);
  await eventually(() => frames.length === 10_000);
  expect(frames.every(({ text }, index) => text === `${index}`)).toBe(true);
});

test('a frame is refused when it is too long, when its receiver is not connected, and when 8 MiB wait', async () => {
  await using pair = await startPair();
  const { low, high } = pair;
  expect(low.send(high.self, Buffer.alloc(1024 * KIB + 1))).toBe(false);
  expect(low.send('12D3KooWnobody' as PeerId, Buffer.from('x'))).toBe(false);
  let accepted = 0;
  while (low.send(high.self, Buffer.alloc(1024 * KIB))) accepted += 1;
  expect(accepted).toBeGreaterThanOrEqual(7);
  expect(accepted).toBeLessThan(12);
  const frames = collectFrames(high);
  await eventually(() => frames.length === accepted);
  expect(low.send(high.self, Buffer.from('again'))).toBe(true);
});

test('members connect by themselves, and two that dial each other keep one link', async () => {
  // Several times, since what is tested is a race.
  for (let round = 0; round < 5; round += 1) {
    const peers = await Promise.all([startPeer(), startPeer()]);
    const events: string[] = [];
    for (const peer of peers) {
      peer.onConnected(() => events.push('connected'));
      peer.onDisconnected(() => events.push('disconnected'));
    }
    introduce(peers);
    await allLinked(peers);
    const [a, b] = peers;
    const frames = collectFrames(b);
    expect(a.send(b.self, Buffer.from('hello'))).toBe(true);
    await eventually(() => frames.length === 1);
    expect(events).toEqual(['connected', 'connected']);
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
  }
});

test('peers that know no address of one side still meet', async () => {
  await using low = await startPeer();
  await using high = await startPeer();
  low.setMembers([memberOf(low), { peer: high.self, addrs: [] }]);
  high.setMembers([memberOf(low), memberOf(high)]);
  await allLinked([low, high]);
});

test('a killed process is seen, redialled, and linked again when it is back', async () => {
  const seed = randomBytes(32);
  await using self = await startPeer();
  const events: string[] = [];
  self.onConnected(() => events.push('connected'));
  self.onDisconnected(() => events.push('disconnected'));
  const port = await freePort(); // So that nobody has come by it when the peer is back.
  const child = await startChildPeer(seed, port);
  const members = [memberOf(self), child.member];
  self.setMembers(members);
  child.setMembers(members);
  await eventually(() => self.isConnected(child.member.peer), { withinMs: LINKED_MS });

  child.process.kill('SIGKILL');
  await once(child.process, 'exit');
  await eventually(() => !self.isConnected(child.member.peer));
  expect(self.send(child.member.peer, Buffer.from('x'))).toBe(false);

  await using reborn = await startChildPeer(seed, port);
  reborn.setMembers([...members]);
  await eventually(() => self.isConnected(child.member.peer), { withinMs: LINKED_MS });
  const frames = collectFrames(self);
  expect(self.send(child.member.peer, Buffer.from('still you?'))).toBe(true);
  await eventually(() => frames.some(({ text }) => text === 'still you?'));
  expect(events).toEqual(['connected', 'disconnected', 'connected']);
});

test('a peer started anew elsewhere takes the link from its frozen old process', async () => {
  const seed = randomBytes(32);
  await using self = await startPeer();
  await using old = await startChildPeer(seed);
  const members = [memberOf(self), old.member];
  self.setMembers(members);
  old.setMembers(members);
  await eventually(() => self.isConnected(old.member.peer), { withinMs: LINKED_MS });
  old.process.kill('SIGSTOP');

  await using fresh = await startChildPeer(seed);
  const frames = collectFrames(self);
  fresh.setMembers(members);
  await eventually(
    () => {
      self.send(old.member.peer, Buffer.from('who is there?'));
      return frames.length > 0;
    },
    { withinMs: LINKED_MS },
  );
});

test('a peer that comes back at another address is found there', async () => {
  const seed = randomBytes(32);
  await using self = await startPeer();
  const before = await startPeer({ seed });
  introduce([self, before]);
  await allLinked([self, before]);
  await before[Symbol.asyncDispose]();
  await eventually(() => !self.isConnected(before.self));
  await using after = await startPeer({ seed });
  after.setMembers([memberOf(after), { peer: self.self, addrs: [] }]);
  self.setMembers([memberOf(self), memberOf(after)]);
  await allLinked([self, after]);
});

test('a peer that is no member any more is disconnected and refused', async () => {
  await using cluster = await startCluster(3);
  const [a, b, removed] = cluster.peers;
  if (a === undefined || b === undefined || removed === undefined) throw new Error('three peers');
  const gone: PeerId[] = [];
  a.onDisconnected((peer) => gone.push(peer));
  introduce([a, b]);
  await eventually(() => removed.connected().length === 0 && gone.length > 0);
  expect(gone).toEqual([removed.self]);
  expect(a.connected()).toEqual([b.self]);
  // It redials all the time: give it time to have tried.
  await eventually(() => !removed.send(a.self, Buffer.from('let me in')));
  expect(removed.isConnected(a.self)).toBe(false);
  expect(a.isConnected(removed.self)).toBe(false);
});

test('a connection that is dropped while its peer is a member comes back', async () => {
  await using pair = await startPair();
  const { low, high } = pair;
  let count = 0;
  low.onConnected(() => (count += 1));
  low.drop(high.self);
  await eventually(() => count === 1);
  await allLinked([low, high]);
});

test('ports are open, refused, or else prove nothing', async () => {
  await using peer = await startPeer();
  const port = Number(peer.addrs()[0]?.split('/').at(-1));
  expect(await peer.probePort('127.0.0.1', port, 30_000)).toBe('open');
  expect(await peer.probePort('127.0.0.1', 1, 30_000)).toBe('refused');
  expect(await peer.probePort('no-such-host.invalid', 80, 300)).toBe('timeout');
});

test('a taken port is a clear error', async () => {
  await using first = await startPeer();
  const port = Number(first.addrs()[0]?.split('/').at(-1));
  await expect(startPeer({ port })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`Cannot listen on "/ip4/127.0.0.1/tcp/${port}"`) as unknown,
  });
});
