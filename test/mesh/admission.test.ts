import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { expect, test } from 'vitest';
import { identityFromSeed } from '../../agent/mesh/identity.ts';
import { PlatformError } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import type { JoinGrant, JoinRequest, Mesh } from '../../src/shell/mesh.ts';
import { eventually } from '../helpers/eventually.ts';
import { allLinked, collectFrames, introduce, memberOf, startPair, startPeer } from './peers.ts';

const request = { invite: 'i1', secret: 's3cret', name: 'attic' };
/** No join takes as long, however slow the machine. */
const JOIN_MS = 60_000;
const PROTOCOLS = ['/kith/ctl/1', '/kith/svc/1', '/meshsub/1.2.0', '/meshsub/1.1.0', '/ipfs/id/1.0.0'];

function dialable(mesh: Mesh): string[] {
  return mesh.addrs().map((addr) => `${addr}/p2p/${mesh.self}`);
}

function grantOf(member: Mesh, ops: readonly Uint8Array[] = []): JoinGrant {
  return { cluster: 'c1', members: [memberOf(member)], keys: { k1: 'data key' }, ops };
}

/** libp2p without any of our manners. */
async function startIntruder(seed = randomBytes(32)): Promise<Libp2p & AsyncDisposable> {
  const { privateKey } = await identityFromSeed(seed);
  const node = await createLibp2p({
    privateKey,
    transports: [tcp()],
    connectionEncrypters: [tls()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    services: { identify: identify({ runOnConnectionOpen: false }) },
  });
  return Object.assign(node, { [Symbol.asyncDispose]: async () => await node.stop() });
}

/** Resolves when the stream is reset: at once when it cannot even be opened. */
async function isRefused(connection: Connection, protocol: string): Promise<boolean> {
  let stream: Stream;
  try {
    stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(30_000) });
  } catch {
    return true;
  }
  return await eventually(() => stream.status !== 'open');
}

test('a stranger is refused every protocol but joining', async () => {
  await using member = await startPeer();
  member.setMembers([memberOf(member)]);
  member.subscribe('secret topic', () => undefined);
  await using intruder = await startIntruder();
  const connection = await intruder.dial(dialable(member).map((addr) => multiaddr(addr)));
  for (const protocol of PROTOCOLS) expect(await isRefused(connection, protocol), protocol).toBe(true);
  expect(member.connected()).toEqual([]);
  expect(member.hasSubscribers('secret topic')).toBe(false);
});

test('a crowd of strangers is turned away, and members still get in', async () => {
  await using member = await startPeer();
  await using friend = await startPeer();
  member.setMembers([memberOf(member), { peer: friend.self, addrs: [] }]);
  const intruders = await Promise.all(Array.from({ length: 20 }, () => startIntruder()));
  try {
    const target = dialable(member).map((addr) => multiaddr(addr));
    await Promise.allSettled(intruders.map((intruder) => intruder.dial(target)));
    await eventually(() => intruders.filter((one) => one.getConnections().length > 0).length <= 16);
    friend.setMembers([memberOf(member), memberOf(friend)]);
    await allLinked([member, friend]);
  } finally {
    await Promise.all(intruders.map((intruder) => intruder[Symbol.asyncDispose]()));
  }
});

test('who holds the invite is admitted, and is linked once both know each other', async () => {
  await using member = await startPeer();
  await using joiner = await startPeer();
  member.setMembers([memberOf(member)]);
  const requests: JoinRequest[] = [];
  const ops = Array.from({ length: 3000 }, () => new Uint8Array(randomBytes(2000)));
  member.onJoin(async (asked) => {
    requests.push(asked);
    introduce([member], [{ peer: asked.peer, addrs: [] }]);
    return await Promise.resolve(grantOf(member, ops));
  });
  const grant = await joiner.join(dialable(member), request, AbortSignal.timeout(JOIN_MS));
  expect(requests).toEqual([{ peer: joiner.self, ...request }]);
  expect(grant.cluster).toBe('c1');
  expect(grant.keys).toEqual({ k1: 'data key' });
  expect(grant.members).toEqual([memberOf(member)]);
  expect(grant.ops).toHaveLength(3000);
  expect(grant.ops.every((op, index) => Buffer.from(op).equals(ops[index] ?? op))).toBe(true);
  joiner.setMembers([memberOf(joiner), ...grant.members]);
  await allLinked([member, joiner]);
});

test('a refusal reaches the joiner with its code and hint', async () => {
  await using member = await startPeer();
  await using joiner = await startPeer();
  member.onJoin(() =>
    Promise.reject(
      new PlatformError('bad_invite', 'The invite "i1" has expired', { hint: 'Ask for another' }),
    ),
  );
  const joining = joiner.join(dialable(member), request, AbortSignal.timeout(JOIN_MS));
  await expect(joining).rejects.toMatchObject({
    code: 'bad_invite',
    message: 'The invite "i1" has expired',
    hint: 'Ask for another',
  });
});

test('a bug in the join handler tells the joiner nothing, and a peer that admits nobody says so', async () => {
  await using member = await startPeer();
  await using joiner = await startPeer();
  const join = (): Promise<JoinGrant> => joiner.join(dialable(member), request, AbortSignal.timeout(JOIN_MS));
  await expect(join()).rejects.toMatchObject({ message: 'This peer admits nobody yet' });
  member.onJoin(() => {
    throw new TypeError('internal detail');
  });
  await expect(join()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.not.stringContaining('internal detail') as unknown,
  });
});

test('the secret is not sent to a peer that is not the one of the token', async () => {
  await using impostor = await startPeer();
  await using joiner = await startPeer();
  let asked = 0;
  impostor.onJoin(() => {
    asked += 1;
    return Promise.resolve(grantOf(impostor));
  });
  const { self } = await identityFromSeed(randomBytes(32));
  const addrs = impostor.addrs().map((addr) => `${addr}/p2p/${self}`);
  const joining = joiner.join(addrs, request, AbortSignal.timeout(JOIN_MS));
  await expect(joining).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked).toBe(0);
});

test('joining nobody, nowhere or too slowly is a clear error', async () => {
  await using joiner = await startPeer();
  const join = (addrs: string[], ms = JOIN_MS): Promise<JoinGrant> =>
    joiner.join(addrs, request, AbortSignal.timeout(ms));
  await expect(join([])).rejects.toMatchObject({ code: 'bad_invite' });
  await expect(join(['/ip4/127.0.0.1/tcp/1'])).rejects.toMatchObject({ code: 'bad_invite' });
  await expect(join([`/ip4/127.0.0.1/tcp/1/p2p/${joiner.self}x`])).rejects.toMatchObject({
    code: expect.stringMatching(/bad_invite|unavailable/) as unknown,
  });
  await using member = await startPeer();
  member.onJoin(() => new Promise(() => undefined));
  await expect(join(dialable(member), 500)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('it took too long') as unknown,
  });
});

test('garbage on a socket or a stream costs that one only', async () => {
  await using pair = await startPair();
  const { low, high } = pair;
  const port = Number(low.addrs()[0]?.split('/').at(-1));
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const isClosed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => undefined); // reset, as it should be
  socket.write(randomBytes(100_000));
  await isClosed;

  // A member that misbehaves: each stream is reset, whatever is wrong with it.
  const seed = randomBytes(32);
  await using intruder = await startIntruder(seed);
  const { self } = await identityFromSeed(seed);
  introduce([low, high], [{ peer: self, addrs: [] }]);
  const header = (type: number, bytes: number): Buffer =>
    Buffer.from([type, bytes >> 16, (bytes >> 8) & 255, bytes & 255]);
  const malformed = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    header(9, 0),
    header(1, 0xffffff),
    header(4, 5000),
    Buffer.concat([header(2, 3), Buffer.alloc(3)]),
    Buffer.concat([header(2, 4), Buffer.from([255, 255, 255, 255])]),
    Buffer.concat([header(4, 3), Buffer.from('???')]),
  ];
  const hugeMessage = Buffer.concat([header(1, 4), Buffer.from([255, 255, 255, 255])]);
  const moreThanCredit = Buffer.alloc(
    3 * 1024 * 1024,
    Buffer.concat([header(1, 60_000), Buffer.alloc(60_000)]),
  );
  const hostile: Record<string, Buffer[]> = {
    '/kith/ctl/1': [...malformed, hugeMessage],
    '/kith/svc/1': [...malformed, moreThanCredit],
    '/kith/join/1': [...malformed, Buffer.concat([header(1, 5000), Buffer.alloc(5000)])],
  };
  for (const [protocol, attacks] of Object.entries(hostile)) {
    for (const bytes of attacks) {
      const target = dialable(low).map((addr) => multiaddr(addr));
      const connection = await intruder.dial(target, { force: true });
      const stream = await connection.newStream(protocol);
      stream.send(bytes);
      await eventually(() => stream.status !== 'open');
      connection.abort(new Error('next'));
    }
  }
  const frames = collectFrames(high);
  expect(low.send(high.self, Buffer.from('still here'))).toBe(true);
  await eventually(() => frames.length === 1);
  expect(low.connected()).toEqual([high.self] satisfies PeerId[]);
});
