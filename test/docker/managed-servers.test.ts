import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { removeFromEngine } from '../../scripts/lib/host-containers.ts';
import { deploy, formationMet, spreadOut } from '../cluster/apps.ts';
import { useCluster, WAIT_MS } from '../cluster/cluster.ts';
import { visits, writeVisitsApp } from '../cluster/visits-app.ts';
import { eventually } from '../helpers/eventually.ts';

const TEST_MS = 480_000;
/** Images are made first, and a server that starts again recovers. */
const BACK_MS = 120_000;
const APP = 'shop';
const SERVERS = ['kith-postgresql', 'kith-redis'] as const;

const cluster = useCluster(2, { KITH_RUNTIME: 'docker' });
const [ash, birch] = [cluster.peer('ash'), cluster.peer('birch')];

// Before the folder of the cluster goes, by which its things in the Engine are known.
afterAll(async () => {
  cluster.killAll();
  for (const { dir } of cluster.peers) await removeFromEngine(dir);
}, TEST_MS);

function redis(peer: typeof ash, ...words: readonly string[]): Promise<string> {
  return peer.kith(['redis:cli', '-a', APP, 'REDIS', ...words]);
}

test('containers at both peers use servers in containers at one of them', { timeout: TEST_MS }, async () => {
  await ash.kith(['apps:create', APP, '--no-remote']);
  await ash.kith(['buildpacks:set', 'procfile', '-a', APP]);
  for (const server of SERVERS) {
    await ash.kith(['providers:run', server, '--peer', 'birch']);
    await birch.kith(['addons:create', server, '-a', APP]);
  }
  await deploy(ash, APP, writeVisitsApp(join(cluster.dir, APP)));
  await ash.kith(['ps:scale', 'web=2', '-a', APP]);
  await formationMet(ash, APP, 2, () => true, BACK_MS);
  const dynos = await spreadOut(ash, APP, { web: 2 }, 2);
  expect(new Set(dynos.map(({ peer }) => peer.name)).size).toBe(2);
  // A dyno that is up at another peer may come into this one's router a moment later.
  expect(await eventually(() => visits(ash, APP), { withinMs: WAIT_MS })).toBe(1);
  for (let count = 2; count <= 4; count += 1) expect(await visits(ash, APP)).toBe(count);
  await redis(ash, 'SET', 'cat', 'Tom');
  expect(await redis(birch, 'GET', 'cat')).toContain('Tom');
  expect(await ash.kith(['pg:psql', '-a', APP, '-c', 'SELECT count(*) FROM visits'])).toContain('4');
});

test('a host that loses its power comes back with all that was committed', { timeout: TEST_MS }, async () => {
  await birch.killWithContainers();
  await birch.start();
  await cluster.allAlive();
  for (const server of SERVERS) {
    const [dyno] = await formationMet(ash, server, 1, () => true, BACK_MS);
    expect(dyno?.peer.name).toBe('birch');
  }
  expect(await eventually(() => visits(ash, APP), { withinMs: WAIT_MS })).toBeGreaterThan(4);
  await eventually(async () => (await redis(ash, 'GET', 'cat')).includes('Tom'), { withinMs: WAIT_MS });
});
