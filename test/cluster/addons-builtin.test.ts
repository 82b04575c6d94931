import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AddonResource } from '../../src/platform/addon.ts';
import { PostgresProcess, query } from '../addons/postgres-process.ts';
import { RedisProcess, send } from '../addons/redis-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet, keepAsking } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import { visits, writeVisitsApp } from './visits-app.ts';

const APP = 'shop';
const cluster = useCluster(3);
let postgres: PostgresProcess;
let redis: RedisProcess;
let source: string;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([PostgresProcess.start(), RedisProcess.start()]);
  await query(postgres.url, `CREATE ROLE maker LOGIN CREATEROLE CREATEDB PASSWORD 'm@ke'`);
  source = writeVisitsApp(join(cluster.dir, 'shop'));
}, 300_000);
afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

async function databaseUrl(): Promise<string> {
  return (await cluster.peer('cedar').kith(['config:get', 'DATABASE_URL', '-a', APP])).trim();
}

test('without a server, an add-on is refused with what an admin must do', async () => {
  const ash = cluster.peer('ash');
  await ash.kith(['apps:create', APP, '--no-remote']);
  const refused = await ash.tryKith(['addons:create', 'kith-postgresql', '-a', APP]);
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('kith-postgresql has no server to make databases on');
});

test('an add-on made at one peer is the database of dynos at any', async () => {
  const [ash, birch] = [cluster.peer('ash'), cluster.peer('birch')];
  const server = postgres.urlOf('maker', 'm@ke');
  await birch.kith(['providers:set', 'kith-postgresql', 'server'], { input: `${server}\n` });
  await eventually(() => ash.kith(['addons:create', 'kith-postgresql:mini', '-a', APP]), {
    withinMs: WAIT_MS,
  });
  await birch.kith(['buildpacks:set', 'procfile', '-a', APP]);
  await deploy(birch, APP, source);
  await birch.kith(['ps:scale', 'web=2', '-a', APP]);
  await formationMet(birch, APP, 2);
  // What no dyno was asked for yet is no visit.
  const [cedar, ...others] = [cluster.peer('cedar'), birch, ash];
  expect(await eventually(() => visits(cedar, APP), { withinMs: WAIT_MS })).toBe(1);
  for (const peer of others) await formationMet(peer, APP, 2);
  expect(await visits(birch, APP)).toBe(2);
  expect(await query(await databaseUrl(), 'SELECT count(*)::int AS n FROM visits')).toEqual([{ n: 2 }]);
});

test('a dump taken through one peer is restored through another, and a broken one changes nothing', async () => {
  const [birch, cedar] = [cluster.peer('birch'), cluster.peer('cedar')];
  const file = join(cluster.dir, 'shop.dump');
  await query(await databaseUrl(), 'CREATE EXTENSION pgcrypto');
  await cedar.kith(['pg:backups:download', '-a', APP, '-o', file]);
  const visitsThen = await visits(cluster.peer('ash'), APP);
  const broken = join(cluster.dir, 'broken.dump');
  const bytes = readFileSync(file);
  writeFileSync(broken, bytes.subarray(0, bytes.length - 40));
  const nonsense = join(cluster.dir, 'nonsense.dump');
  writeFileSync(nonsense, 'nonsense');
  for (const path of [broken, nonsense]) {
    const refused = await birch.tryKith(['pg:backups:restore', path, '-a', APP, '--confirm', APP]);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('pg_restore failed');
  }
  expect(await visits(cluster.peer('ash'), APP)).toBe(visitsThen + 1);
  await birch.kith(['pg:backups:restore', file, '-a', APP, '--confirm', APP]);
  expect(await visits(cluster.peer('ash'), APP)).toBe(visitsThen);
});

test('rotated credentials reach the dynos with no failed request, and then the old ones end', async () => {
  const before = await databaseUrl();
  const asking = keepAsking(cluster.peer('ash'), APP);
  await cluster.peer('cedar').kith(['pg:credentials:rotate', '-a', APP]);
  const after = await databaseUrl();
  expect(after).not.toBe(before);
  await eventually(
    async () => {
      const said = await query(before, 'SELECT 1').then(() => '', String);
      return /authentication failed|not permitted/.test(said);
    },
    { withinMs: WAIT_MS, everyMs: 200 },
  );
  expect(await asking.stop()).toEqual([]);
  await query(after, 'SELECT 1');
  const info = await cluster.peer('birch').kith(['pg:info', '-a', APP]);
  expect(info).toContain(new URL(after).username);
  expect(info).not.toContain(new URL(after).password);
  const psql = await cluster.peer('birch').tryKith(['pg:psql', '-a', APP, '-c', 'SELECT 40 + 2 AS answer']);
  expect(psql.stdout).toContain('42');
});

test('a database of Redis is given, rotated and taken again', async () => {
  const [ash, birch, cedar] = [cluster.peer('ash'), cluster.peer('birch'), cluster.peer('cedar')];
  await ash.kith(['providers:set', 'kith-redis', 'server'], { input: redis.url });
  await eventually(() => birch.kith(['addons:create', 'kith-redis', '-a', APP]), { withinMs: WAIT_MS });
  const url = (await cedar.kith(['config:get', 'REDIS_URL', '-a', APP])).trim();
  await send(url, 'SET', 'cat', 'Tom');
  await cedar.kith(['redis:credentials:rotate', '-a', APP]);
  expect(await birch.kith(['redis:cli', '-a', APP, 'REDIS', 'GET', 'cat'])).toContain('Tom');
  await eventually(async () => /WRONGPASS/.test(await send(url, 'PING').then(() => '', String)), {
    withinMs: WAIT_MS,
    everyMs: 200,
  });
  await ash.kith(['addons:destroy', 'REDIS', '-a', APP, '--confirm', APP]);
  await eventually(async () => (await send(`${redis.url}${new URL(url).pathname}`, 'DBSIZE')) === 0, {
    withinMs: WAIT_MS,
  });
});

test('an add-on destroyed at one peer leaves no database', async () => {
  const url = new URL(await databaseUrl());
  const addons = await cluster.peer('ash').call<readonly AddonResource[]>(`/apps/${APP}/addons`);
  expect(addons.map(({ addon_service }) => addon_service.name)).toEqual(['kith-postgresql']);
  await cluster.peer('cedar').kith(['addons:destroy', 'DATABASE', '-a', APP, '--confirm', APP]);
  const left = (): Promise<readonly unknown[]> =>
    query(postgres.url, `SELECT 1 FROM pg_database WHERE datname = $1`, [url.pathname.slice(1)]);
  await eventually(async () => (await left()).length === 0, { withinMs: WAIT_MS });
  await eventually(
    async () => (await query(postgres.url, `SELECT 1 FROM pg_roles WHERE rolname LIKE 'kith%'`)).length === 0,
    { withinMs: WAIT_MS },
  );
});
