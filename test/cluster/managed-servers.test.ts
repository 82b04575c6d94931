import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ProviderResource } from '../../src/platform/provider.ts';
import type { TokenResource } from '../../src/platform/token.ts';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet, spreadOut } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import { visits, writeVisitsApp } from './visits-app.ts';

const TEST_MS = 480_000;
const APP = 'shop';
const POSTGRESQL = 'kith-postgresql';
const REDIS = 'kith-redis';

const cluster = useCluster(3);
const [ash, birch, cedar] = [cluster.peer('ash'), cluster.peer('birch'), cluster.peer('cedar')];

async function config(name: string): Promise<string> {
  return (await ash.kith(['config:get', name, '-a', APP])).trim();
}

function redis(peer: typeof ash, ...words: readonly string[]): Promise<string> {
  return peer.kith(['redis:cli', '-a', APP, 'REDIS', ...words]);
}

test('one command runs a server, and run again it changes nothing', { timeout: TEST_MS }, async () => {
  await ash.kith(['providers:run', POSTGRESQL, '--peer', 'cedar']);
  const [server] = await formationMet(birch, POSTGRESQL, 1);
  expect(server).toMatchObject({ name: 'server.1', peer: { name: 'cedar' } });
  const again = await birch.tryKith(['providers:run', POSTGRESQL]);
  expect(again.status).toBe(0);
  expect(again.stderr.match(/already/g)).toHaveLength(6);
  expect((await formationMet(birch, POSTGRESQL, 1)).map(({ id }) => id)).toEqual([server?.id]);
  const elsewhere = await birch.tryKith(['providers:run', POSTGRESQL, '--peer', 'ash']);
  expect(elsewhere.stderr).toContain('kith volumes:move data ash');
  const second = await birch.tryKith(['providers:run', POSTGRESQL, '--app', 'second']);
  expect(second.stderr).toContain(`has the server of the app "${POSTGRESQL}"`);
  const providers = await birch.json<readonly ProviderResource[]>(['providers']);
  expect(providers.find(({ id }) => id === POSTGRESQL)?.app).toMatchObject({ name: POSTGRESQL });
});

test('an app that is something else is left alone', async () => {
  await ash.kith(['apps:create', 'other', '--no-remote']);
  await ash.kith(['config:set', 'A=1', '-a', 'other']);
  const refused = await birch.tryKith(['providers:run', REDIS, '--app', 'other']);
  expect(refused.stderr).toContain(`"other" that is no server of ${REDIS}`);
  expect(JSON.parse(await cedar.kith(['config', '-a', 'other', '--json']))).toEqual({ A: '1' });
});

test('an app that somebody made beforehand, who is no admin, is not taken for the server', async () => {
  const { token } = await ash.json<TokenResource>(['tokens:create', 'eve@example.com', '--role', 'member']);
  const made = await fetch(`${ash.api}/apps`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token ?? ''}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: REDIS }),
  });
  expect(made.status).toBe(201);
  const refused = await ash.tryKith(['providers:run', REDIS]);
  expect(refused.stderr).toContain('is owned by "eve@example.com", who is no admin');
  await ash.kith(['apps:destroy', REDIS, '--confirm', REDIS]);
});

test('dynos at every peer use a database that is at one of them', { timeout: TEST_MS }, async () => {
  await ash.kith(['apps:create', APP, '--no-remote']);
  await ash.kith(['buildpacks:set', 'procfile', '-a', APP]);
  await birch.kith(['addons:create', `${POSTGRESQL}:mini`, '-a', APP]);
  expect(await config('DATABASE_URL')).toMatch(/@kith\.internal:6\d{4}\//);
  await deploy(birch, APP, writeVisitsApp(join(cluster.dir, APP)));
  await spreadOut(ash, APP, { web: 3 }, 3);
  const dynos = await formationMet(ash, APP, 3);
  expect(new Set(dynos.map(({ peer }) => peer.name)).size).toBe(3);
  // Whichever of the three answers: they count together.
  expect(await eventually(() => visits(ash, APP), { withinMs: WAIT_MS })).toBe(1);
  for (let count = 2; count <= 6; count += 1) expect(await visits(ash, APP)).toBe(count);
});

test('it is looked into, dumped and restored through any peer', { timeout: TEST_MS }, async () => {
  const file = join(cluster.dir, 'shop.dump');
  await ash.kith(['pg:backups:download', '-a', APP, '-o', file]);
  const before = await visits(birch, APP);
  await birch.kith(['pg:backups:restore', file, '-a', APP, '--confirm', APP]);
  expect(await visits(cedar, APP)).toBe(before);
  const asked = await cedar.kith(['pg:psql', '-a', APP, '-c', 'SELECT count(*) AS "it\'s" FROM visits']);
  expect(asked).toContain(String(before));
});

test('new credentials reach the dynos, and the old ones end', { timeout: TEST_MS }, async () => {
  const before = await config('DATABASE_URL');
  await cedar.kith(['pg:credentials:rotate', '-a', APP]);
  expect(await config('DATABASE_URL')).not.toBe(before);
  await eventually(
    async () => {
      const command = `psql '${before.replace('kith.internal', '$KITH_INTERNAL_HOST')}'`.replaceAll("'", '"');
      const ran = await birch.tryKith(['run', '-a', APP, `${command} -c "SELECT 1"`]);
      return /authentication failed|not permitted/.test(ran.stdout);
    },
    { withinMs: WAIT_MS, everyMs: 500 },
  );
  expect(await visits(birch, APP)).toBeGreaterThan(1);
});

test('an agent that dies and comes back finds the server as it was', { timeout: TEST_MS }, async () => {
  const [server] = await formationMet(ash, POSTGRESQL, 1);
  const before = await visits(ash, APP);
  cedar.agent.signalAgent('SIGKILL');
  await cedar.agent.exited();
  await cedar.start();
  await cluster.allAlive();
  expect((await formationMet(cedar, POSTGRESQL, 1)).map(({ id }) => id)).toEqual([server?.id]);
  await eventually(() => visits(birch, APP), { withinMs: WAIT_MS });
  expect(await visits(ash, APP)).toBeGreaterThan(before + 1);
});

test('what was committed is there once its machine has come back', { timeout: TEST_MS }, async () => {
  await birch.kith(['providers:run', REDIS, '--peer', 'cedar']);
  await ash.kith(['addons:create', REDIS, '-a', APP]);
  await redis(birch, 'SET', 'cat', "Tom's");
  const before = await visits(ash, APP);
  cedar.kill();
  await cedar.start();
  await cluster.allAlive();
  for (const app of [POSTGRESQL, REDIS]) {
    const [server] = await formationMet(ash, app, 1, () => true, TEST_MS / 3);
    expect(server?.peer.name).toBe('cedar');
  }
  const after = await eventually(() => visits(birch, APP), { withinMs: WAIT_MS });
  expect(after).toBeGreaterThan(before);
  await eventually(async () => (await redis(ash, 'GET', 'cat')).includes("Tom's"), { withinMs: WAIT_MS });
});

test('an add-on destroyed leaves no database on it', { timeout: TEST_MS }, async () => {
  const database = new URL(await config('DATABASE_URL')).pathname.slice(1);
  await ash.kith(['addons:destroy', 'DATABASE', '-a', APP, '--confirm', APP]);
  const list = `psql -h 127.0.0.1 -p $PORT -U kith -d postgres -Atc "SELECT datname FROM pg_database"`;
  const exec = [
    'ps:exec',
    '-a',
    POSTGRESQL,
    '-d',
    'server.1',
    '--',
    'bash',
    '-c',
    `PGPASSWORD=$ADMIN_PASSWORD ${list}`,
  ];
  await eventually(
    async () => {
      const { stdout } = await birch.tryKith(exec);
      return stdout.includes('template0') && !stdout.includes(database);
    },
    { withinMs: WAIT_MS, everyMs: 200 },
  );
});
