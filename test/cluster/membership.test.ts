import { connect } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { join } from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet, spreadOut, writeApp } from './apps.ts';
import { inviteOf, useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
const LONG = { timeout: 480_000 };

test('every peer lists every other with state, address, load, dynos and version', async () => {
  const showsAll = async (peer: Peer): Promise<true> => {
    const listed = await peer.json<Awaited<ReturnType<Peer['peers']>>>(['peers']);
    expect(listed.map(({ name }) => name)).toEqual(['ash', 'birch', 'cedar']);
    expect(listed.filter(({ self }) => self).map(({ id }) => id)).toEqual([peer.id]);
    for (const { state, version, addresses, memory_mib: memory } of listed) {
      expect(state).toBe('alive');
      expect(version).toMatch(/^\d+\.\d+\.\d+/);
      expect(addresses.api).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(memory).toBeGreaterThan(0);
    }
    return true;
  };
  // That one is alive may be known before what it says of itself.
  for (const peer of cluster.peers) await eventually(() => showsAll(peer), { withinMs: WAIT_MS });
  const table = await birch.kith(['peers']);
  expect(table).toMatch(/PEER +STATE +RUNTIME +DYNOS +LOAD +MEMORY +API +VERSION/);
  expect(table).toMatch(/^birch \* +alive/m);
});

test('an invite lets one running agent in, once', LONG, async () => {
  const dogwood = cluster.stranger('dogwood');
  const elm = cluster.stranger('elm');
  await Promise.all([dogwood.start(), elm.start()]);
  expect((await dogwood.peers()).map(({ name }) => name)).toEqual(['dogwood']);
  const token = await inviteOf(cedar);
  await dogwood.kith(['join', '-'], { input: token });
  await cluster.allAlive([...cluster.peers, dogwood]);

  const again = await elm.tryKith(['join', token]);
  expect(again.status).not.toBe(0);
  expect(again.stderr).toContain('this invite has been used');
  expect((await elm.peers()).map(({ name }) => name)).toEqual(['elm']);

  await birch.kith(['peers:remove', 'dogwood', '--confirm', 'dogwood']);
  await cluster.allAlive();
  elm.kill();
  dogwood.kill();
});

test('expired, damaged and foreign invites are refused in words', LONG, async () => {
  const fir = cluster.stranger('fir');
  await fir.start();
  const refusal = async (token: string): Promise<string> => {
    const { status, stderr } = await fir.tryKith(['join', token]);
    expect(status).not.toBe(0);
    return stderr;
  };
  const short = await ash.json<{ token: string; expires_at: string }>(['invite', '--ttl', '1s']);
  await eventually(() => Date.now() > Date.parse(short.expires_at));
  expect(await refusal(short.token)).toContain('this invite expired');
  const good = await inviteOf(ash);
  expect(await refusal(good.slice(0, -20))).toContain('the invite token is damaged');
  expect(await refusal('hello')).toContain('"hello" is no invite token');
  expect(await refusal(await inviteOf(fir))).not.toBe('');
  // What was wrong before does not spoil what is right now.
  await fir.kith(['join', good]);
  await cluster.allAlive([...cluster.peers, fir]);
  await ash.kith(['peers:remove', 'fir', '--confirm', 'fir']);
  await cluster.allAlive();
  fir.kill();
});

test('a peer that has apps of its own joins nobody', LONG, async () => {
  const hazel = cluster.stranger('hazel');
  await hazel.start();
  await hazel.kith(['apps:create', 'precious', '--no-remote']);
  const { status, stderr } = await hazel.tryKith(['join', await inviteOf(ash)]);
  expect(status).not.toBe(0);
  expect(stderr).toContain('this peer has peers or apps of its own');
  expect(await hazel.kith(['apps'])).toContain('precious');
  hazel.kill();
});

test('noise on the mesh port is dropped and harms nobody', LONG, async () => {
  const port = Number(/\/tcp\/(\d+)/.exec(ash.agent.ready.mesh[0] ?? '')?.[1]);
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {}); // It may be cut off rather than ended.
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await text(socket).catch(() => '');
  expect(socket.destroyed).toBe(true);
  await cluster.allAlive();
});

test(
  'a removed peer cannot speak: it runs nothing, its writes reach nobody, and it stays out',
  LONG,
  async () => {
    await deploy(ash, 'shared', writeApp(join(cluster.dir, 'shared')));
    await spreadOut(ash, 'shared', { web: 3 }, 3);
    await formationMet(birch, 'shared', 3, (dynos) => dynos.some(({ peer }) => peer.id === cedar.id));
    await ash.kith(['peers:remove', 'cedar', '--confirm', 'cedar']);
    expect((await ash.peers()).map(({ name }) => name)).toEqual(['ash', 'birch']);
    await formationMet(birch, 'shared', 3, (dynos) => dynos.every(({ peer }) => peer.id !== cedar.id));
    await cluster.allAlive([ash, birch]);
    await eventually(async () => (await cedar.dynos('shared')).every(({ peer }) => peer.id !== cedar.id), {
      withinMs: WAIT_MS,
    });

    const foreign = await cedar.tryKith(['apps:create', 'foreign', '--no-remote']);
    expect(foreign.stderr).toContain('removed');
    expect(foreign.status).not.toBe(0);
    expect((await cedar.tryKith(['config:set', 'A=foreign', '-a', 'shared'])).status).not.toBe(0);
    cedar.kill();
    await cedar.start();
    expect((await cedar.tryKith(['apps:create', 'foreign', '--no-remote'])).status).not.toBe(0);
    await ash.kith(['config:set', 'A=ours', '-a', 'shared']);
    await eventually(async () => (await birch.kith(['config:get', 'A', '-a', 'shared'])).trim() === 'ours', {
      withinMs: WAIT_MS,
    });
    for (const peer of [ash, birch]) expect(await peer.kith(['apps'])).not.toContain('foreign');
  },
);

test('a peer removed while it was away learns nothing and reaches nobody', LONG, async () => {
  const holly = cluster.stranger('holly');
  await holly.start({ args: ['--join', await inviteOf(ash)] });
  await cluster.allAlive([ash, birch, holly]);
  holly.kill();
  await ash.kith(['peers:remove', 'holly', '--confirm', 'holly']);
  await ash.kith(['config:set', 'SECRET=later', '-a', 'shared']);
  await holly.start();
  // It cannot know that it was removed: it writes as a peer that is cut off would.
  await holly.tryKith(['apps:create', 'afterlife', '--no-remote']);
  await holly.tryKith(['config:set', 'A=afterlife', '-a', 'shared']);
  await ash.kith(['config:set', 'B=1', '-a', 'shared']);
  await eventually(async () => (await birch.kith(['config:get', 'B', '-a', 'shared'])).trim() === '1', {
    withinMs: WAIT_MS,
  });
  for (const peer of [ash, birch]) {
    expect(await peer.kith(['apps'])).not.toContain('afterlife');
    expect(await peer.kith(['config:get', 'A', '-a', 'shared'])).toBe('ours\n');
    expect((await peer.peers()).map(({ name }) => name)).toEqual(['ash', 'birch']);
  }
  expect((await holly.tryKith(['config:get', 'SECRET', '-a', 'shared'])).stdout).not.toContain('later');
  await eventually(
    async () => {
      const alive = (await holly.peers()).filter(({ state }) => state === 'alive');
      expect(alive.map(({ name }) => name)).toEqual(['holly']);
      return true;
    },
    { withinMs: WAIT_MS },
  );
});
