import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DynoResource } from '../../src/platform/dyno.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { eventually } from '../helpers/eventually.ts';
import { answers, deploy, formationMet, keepAsking, spreadOut, writeApp } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
const LONG = { timeout: 480_000 };
const APP = 'vital';

function elsewhere(...gone: readonly Peer[]): (dynos: readonly DynoResource[]) => boolean {
  return (dynos) => dynos.every(({ peer }) => !gone.some(({ id }) => id === peer.id));
}

function peersOf(dynos: readonly DynoResource[]): number {
  return new Set(dynos.map(({ peer }) => peer.id)).size;
}

test(
  'the peer that was deployed through dies: the formation is met elsewhere, requests go on',
  LONG,
  async () => {
    await deploy(ash, APP, writeApp(join(cluster.dir, APP)));
    await spreadOut(ash, APP, { web: 3, worker: 2 }, 3);
    for (const peer of [birch, cedar]) {
      await formationMet(peer, APP, 5, (dynos) => peersOf(dynos) === 3);
      await answers(peer, APP, /^one web/);
    }
    const asking = [keepAsking(birch, APP), keepAsking(cedar, APP)];
    ash.kill();
    for (const peer of [birch, cedar]) await formationMet(peer, APP, 5, elsewhere(ash));
    for (const each of asking) expect(await each.stop()).toEqual([]);
    // Suspicion alone says `down`; two peers that find its ports refused prove it `gone`.
    await eventually(
      async () => {
        const state = (await cedar.peers()).find(({ name }) => name === 'ash')?.state;
        return state === 'down' || state === 'gone';
      },
      { withinMs: WAIT_MS },
    );
    expect(await cedar.kith(['peers'])).toMatch(/^ash +(?:down|gone)/m);
    const dynos = await formationMet(birch, APP, 5, (all) => new Set(all.map(({ name }) => name)).size === 5);
    const names = dynos.map(({ name }) => name).toSorted();
    expect(names).toEqual(['web.1', 'web.2', 'web.3', 'worker.1', 'worker.2']);
  },
);

test('what is changed while it is dead is there when it returns, and nothing storms', LONG, async () => {
  await birch.kith(['config:set', 'GREETING=meanwhile', '-a', APP]);
  await deploy(cedar, APP, writeApp(join(cluster.dir, APP), 'two'));
  await formationMet(cedar, APP, 5, elsewhere(ash));
  const asking = keepAsking(birch, APP);
  await ash.start();
  await cluster.allAlive();
  expect(await ash.kith(['config:get', 'GREETING', '-a', APP])).toBe('meanwhile\n');
  await formationMet(ash, APP, 5);
  await answers(ash, APP, /^two web\.\d meanwhile$/);
  expect(await asking.stop()).toEqual([]);
});

test('two of three die at once: the last one runs everything and can be managed', LONG, async () => {
  birch.kill();
  cedar.kill();
  await formationMet(ash, APP, 5, elsewhere(birch, cedar));
  await ash.kith(['config:set', 'GREETING=alone', '-a', APP]);
  await formationMet(ash, APP, 5);
  await answers(ash, APP, / alone$/);
  await Promise.all([birch.start(), cedar.start()]);
  await cluster.allAlive();
  for (const peer of cluster.peers) {
    expect(await peer.kith(['config:get', 'GREETING', '-a', APP])).toBe('alone\n');
    expect(await peer.kith(['releases:verify', '-a', APP])).toContain('Every hash and signature is right');
  }
});

test(
  'all hosts lose power at once and return in another order: all is as it was, with no command',
  LONG,
  async () => {
    const before = await ash.json<readonly ReleaseResource[]>(['releases', '-a', APP]);
    cluster.killAll();
    for (const peer of [cedar, ash, birch]) await peer.start();
    await cluster.allAlive();
    for (const peer of cluster.peers) {
      await formationMet(peer, APP, 5, (dynos) => new Set(dynos.map(({ name }) => name)).size === 5);
      await answers(peer, APP, /^two web\.\d alone$/);
      const after = await peer.json<readonly ReleaseResource[]>(['releases', '-a', APP]);
      expect(after.map(({ label, id }) => [label, id])).toEqual(before.map(({ label, id }) => [label, id]));
    }
  },
);

test('a peer that boots alone starts its dynos from its own disk', LONG, async () => {
  cluster.killAll();
  await birch.start();
  await formationMet(birch, APP, 5, elsewhere(ash, cedar));
  await answers(birch, APP, /^two web\.\d alone$/);
  await birch.kith(['config:set', 'GREETING=cut-off', '-a', APP]);
  await Promise.all([ash.start(), cedar.start()]);
  await cluster.allAlive();
  for (const peer of cluster.peers) {
    expect(await peer.kith(['config:get', 'GREETING', '-a', APP])).toBe('cut-off\n');
    await formationMet(peer, APP, 5, (dynos) => new Set(dynos.map(({ name }) => name)).size === 5);
  }
});

test(
  'only the agent is killed: its dynos live, requests go on through its router, the next adopts them',
  LONG,
  async () => {
    const before = await formationMet(ash, APP, 5);
    // Whoever runs the most, so that there is something to adopt.
    const owned = (peer: Peer): readonly string[] =>
      before.filter(({ peer: { id } }) => id === peer.id).map(({ id }) => id);
    const [struck, other] = cluster.peers.toSorted((a, b) => owned(b).length - owned(a).length) as [
      Peer,
      Peer,
    ];
    const asking = [keepAsking(struck, APP), keepAsking(other, APP)];
    struck.agent.signalAgent('SIGKILL');
    await struck.agent.exited();
    expect((await struck.request(APP)).status).toBe(200);
    await struck.start();
    await cluster.allAlive();
    const after = await formationMet(other, APP, 5);
    const kept = after.filter(({ peer }) => peer.id === struck.id).map(({ id }) => id);
    // Meanwhile one may have been moved to a peer that had none.
    expect(owned(struck).filter((id) => kept.includes(id)).length).toBeGreaterThanOrEqual(
      owned(struck).length - 1,
    );
    for (const each of asking) expect(await each.stop()).toEqual([]);
  },
);

test(
  'a peer that lost its slugs gets them from whoever answers, while another that has them hangs',
  LONG,
  async () => {
    cedar.kill();
    for (const folder of ['blobs', 'slugs']) rmSync(join(cedar.dir, folder), { recursive: true });
    await cedar.start();
    await cluster.allAlive();
    await formationMet(birch, APP, 5);
    ash.agent.signalAgent('SIGSTOP');
    try {
      await birch.kith(['ps:scale', 'web=6', '-a', APP]);
      await eventually(
        async () => {
          const running = (await birch.dynos(APP)).filter(({ state }) => state === 'up');
          const atCedar = running.filter(({ peer, type }) => peer.id === cedar.id && type === 'web');
          return atCedar.length > 0 && new Set(running.map(({ name }) => name)).size === 8;
        },
        { withinMs: WAIT_MS, everyMs: 200 },
      );
      await answers(cedar, APP, /^two web/);
    } finally {
      ash.agent.signalAgent('SIGCONT');
    }
    await cluster.allAlive();
    await formationMet(ash, APP, 8, (dynos) => new Set(dynos.map(({ name }) => name)).size === 8);
  },
);
