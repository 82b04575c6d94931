import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appRequest } from '../../scripts/lib/app-request.ts';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { must } from '../../scripts/lib/kith.ts';
import type { DynoResource } from '../../src/platform/dyno.ts';
import { eventually } from '../helpers/eventually.ts';
import { answers, formationMet, spreadOut } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import { Repo } from './repo.ts';
import { Traffic } from './traffic.ts';

const TEST_MS = 480_000;
const APP = 'echo';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
let repo: Repo;

const hosts = (dynos: readonly DynoResource[]): readonly string[] =>
  dynos.map(({ peer }) => peer.name).toSorted();
const idsOf = (dynos: readonly DynoResource[]): readonly string[] => dynos.map(({ id }) => id).toSorted();
const ofType = (dynos: readonly DynoResource[], type: string): readonly DynoResource[] =>
  dynos.filter((dyno) => dyno.type === type);

test(
  'a fresh app gets one web dyno, and scaling spreads the dynos of a type over the peers',
  { timeout: TEST_MS },
  async () => {
    repo = await Repo.create(join(cluster.dir, 'source'), {}, join(ROOT, 'test', 'fixtures', 'echo'));
    await ash.kith(['apps:create', APP, '--no-remote']);
    must(await repo.push(ash, APP));
    expect((await formationMet(birch, APP, 1))[0]?.name).toBe('web.1');

    const said = await birch.tryKith(['ps:scale', 'web=3', 'worker=2', '-a', APP]);
    expect(said.stderr).toContain('web at 3:Basic, worker at 2:Basic');
    await spreadOut(birch, APP, { web: 3, worker: 2 }, 3);
    const dynos = await formationMet(cedar, APP, 5);
    expect(hosts(ofType(dynos, 'web'))).toEqual(['ash', 'birch', 'cedar']);
    expect(new Set(hosts(ofType(dynos, 'worker'))).size).toBe(2);
    expect(await cedar.kith(['ps', '-a', APP])).toMatch(
      /=== web \(Basic\): node web\.js \(3\)[\s\S]*web\.1: up .*\n/,
    );
    expect(await ash.kith(['ps:scale', '-a', APP])).toContain('web=3:Basic worker=2:Basic');
  },
);

test(
  'ps:restart replaces one dyno, those of a type, or all; ps:stop ends one that then starts again',
  { timeout: TEST_MS },
  async () => {
    const before = await formationMet(ash, APP, 5);
    await birch.kith(['ps:restart', 'web.2', '-a', APP]);
    const one = await formationMet(cedar, APP, 5, (dynos) => changed(before, dynos) >= 1);
    expect(namesChanged(before, one)).toEqual(['web.2']);
    await cedar.kith(['ps:restart', 'worker', '-a', APP]);
    const type = await formationMet(ash, APP, 5, (dynos) => changed(one, dynos) >= 2);
    expect(namesChanged(one, type)).toEqual(['worker.1', 'worker.2']);
    await ash.kith(['ps:restart', '-a', APP]);
    const all = await formationMet(birch, APP, 5, (dynos) => changed(type, dynos) >= 5);
    await birch.kith(['ps:stop', 'worker.1', '-a', APP]);
    const stopped = await formationMet(birch, APP, 5, (dynos) => changed(all, dynos) >= 1);
    expect(namesChanged(all, stopped)).toEqual(['worker.1']);
    const refused = await cedar.tryKith(['ps:stop', 'web.9', '-a', APP]);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('Couldn\'t find the dyno "web.9"');
  },
);

test(
  'no request fails while an app is deployed, configured, restarted and scaled',
  { timeout: TEST_MS },
  async () => {
    await formationMet(ash, APP, 5);
    for (const peer of cluster.peers) await answers(peer, APP, /^one web/);
    const traffic = new Traffic(cluster.peers, APP);
    try {
      await traffic.more(20);
      const slow = appRequest(birch.agent.ready.http, APP, '/slow?ms=8000');
      await repo.commit({ version: 'two' });
      must(await repo.push(birch, APP));
      await formationMet(ash, APP, 5, (dynos) => dynos.every(({ release }) => release.version === 4));
      expect(await slow).toMatchObject({ status: 200, body: expect.stringContaining('slow one web.') });

      await cedar.kith(['config:set', 'GREETING=hi', '-a', APP]);
      await formationMet(ash, APP, 5, (dynos) => dynos.every(({ release }) => release.version === 5));
      const config = await formationMet(ash, APP, 5);
      await ash.kith(['ps:restart', '-a', APP]);
      await formationMet(birch, APP, 5, (dynos) => changed(config, dynos) === 5);
      await birch.kith(['ps:scale', 'web=1', '-a', APP]);
      await formationMet(cedar, APP, 3);
      await cedar.kith(['ps:scale', 'web=4', '-a', APP]);
      await formationMet(ash, APP, 6);
      await traffic.more(20);
    } finally {
      await traffic.stop();
    }
    expect(traffic.failures).toEqual([]);
    expect(traffic.asked).toBeGreaterThan(60);
    await answers(cedar, APP, /^two web\.\d hi$/);
  },
);

test(
  'a killed peer loses its dynos to the others, and its return starts no storm',
  { timeout: TEST_MS },
  async () => {
    await ash.kith(['ps:scale', 'web=3', 'worker=1', '-a', APP]);
    await formationMet(ash, APP, 4);
    cedar.kill();
    await formationMet(ash, APP, 4, (dynos) => !hosts(dynos).includes('cedar'));
    const returnedAt = new Date();
    await cedar.start();
    await cluster.allAlive();
    const settled = await formationMet(cedar, APP, 4);
    // A few moves give the peer that came back its share; nothing that runs well is touched twice.
    expect(await startsSince(returnedAt)).toBeLessThanOrEqual(3);
    for (const peer of cluster.peers)
      expect(idsOf(await formationMet(peer, APP, 4))).toHaveLength(settled.length);
  },
);

test(
  'a dyno that crashes is seen as crashed, is tried again, and recovers with its cause',
  { timeout: TEST_MS },
  async () => {
    await ash.kith(['ps:scale', 'web=1', 'worker=0', '-a', APP]);
    await formationMet(ash, APP, 1);
    await birch.kith(['config:set', 'GREETING=crash', '-a', APP]);
    await eventually(async () => (await cedar.kith(['ps', '-a', APP])).includes('web.1: crashed') || null, {
      withinMs: WAIT_MS,
    });
    await eventually(
      async () => {
        const lines = await cedar.kith(['logs', '-n', '100', '--source', 'heroku', '-a', APP]);
        expect(lines).toMatch(/heroku\[web\.1\]: Process exited with status 1/);
        expect(lines).toMatch(/heroku\[web\.1\]: State changed from starting to crashed/);
        return true;
      },
      { withinMs: WAIT_MS },
    );
    await birch.kith(['config:set', 'GREETING=well', '-a', APP]);
    await formationMet(ash, APP, 1);
    await answers(ash, APP, /well$/);
  },
);

function changed(before: readonly DynoResource[], after: readonly DynoResource[]): number {
  return namesChanged(before, after).length;
}

function namesChanged(before: readonly DynoResource[], after: readonly DynoResource[]): readonly string[] {
  const known = new Set(idsOf(before));
  return after
    .filter(({ id }) => !known.has(id))
    .map(({ name }) => name)
    .toSorted();
}

/** How often any dyno was started since, by the times of their log lines: a peer that was down brings its older ones. */
async function startsSince(moment: Date): Promise<number> {
  const lines = await ash.kith(['logs', '-n', '1500', '--source', 'heroku', '-a', APP]);
  const from = moment.toISOString().slice(0, 23);
  const starts = lines.split('\n').filter((line) => line.includes('Starting process with command'));
  return starts.filter((line) => line.slice(0, 23) >= from).length;
}
