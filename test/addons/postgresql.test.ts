import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressHere } from '../../agent/addons/address-here.ts';
import { Postgresql } from '../../agent/addons/postgresql.ts';
import type { AddonId } from '../../src/ids.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort } from '../helpers/free-port.ts';
import { PostgresProcess, query } from './postgres-process.ts';

/** The tests have deadlines of their own. */
const { signal } = new AbortController();
let server: PostgresProcess;

beforeAll(async () => {
  server = await PostgresProcess.start();
  await query(server.url, `CREATE ROLE maker LOGIN CREATEROLE CREATEDB PASSWORD 'm@ke'`);
  await query(server.url, `CREATE ROLE nobody LOGIN PASSWORD 'x'`);
}, 120_000);
afterAll(() => server[Symbol.asyncDispose]());

const newId = (): AddonId => randomUUID() as AddonId;
const secretFor = (addon: AddonId, generation: string): string => `${addon}-secret-${generation}`;
const on = (url: string): Postgresql =>
  new Postgresql(() => ({ server: url }), secretFor, addressHere('127.0.0.1'));
const admins: Readonly<Record<string, () => string>> = {
  'a superuser': () => server.url,
  'a role with CREATEROLE and CREATEDB': () => server.urlOf('maker', 'm@ke'),
};

async function made(provider: Postgresql, uuid: AddonId, plan = 'mini'): Promise<string> {
  const { config } = await provider.provision({ uuid, plan }, signal);
  return config.DATABASE_URL;
}

describe.each(Object.keys(admins))('with %s', (name) => {
  const provider = (): Postgresql => on(admins[name]?.() ?? '');

  test('provisioning twice, or at once by two peers, gives one database that works', async () => {
    const uuid = newId();
    const [first, second] = await Promise.all([made(provider(), uuid), made(provider(), uuid)]);
    expect(first).toBe(second);
    await query(first, 'CREATE TABLE cats (name text)');
    await query(first, `INSERT INTO cats VALUES ('Tom')`);
    expect(await made(provider(), uuid)).toBe(first);
    expect(await query(first, 'SELECT name FROM cats')).toEqual([{ name: 'Tom' }]);
    await query(first, 'CREATE EXTENSION pgcrypto');
    await query(first, 'CREATE SCHEMA attic');
  });

  test('several add-ons can be made, and taken away, at once', async () => {
    const ids = Array.from({ length: 5 }, newId);
    const urls = await Promise.all(ids.map((uuid) => made(provider(), uuid)));
    for (const url of urls) await query(url, 'SELECT 1');
    await Promise.all(ids.map((uuid) => provider().deprovision({ uuid }, signal)));
  });

  test('an add-on is let into its own database alone', async () => {
    const [mine, other] = [await made(provider(), newId()), await made(provider(), newId())];
    const trespass = new URL(mine);
    trespass.pathname = new URL(other).pathname;
    await expect(query(trespass.href, 'SELECT 1')).rejects.toThrow(/permission denied for database/);
    await expect(query(mine, 'CREATE ROLE thief')).rejects.toThrow(/permission denied/);
    await expect(query(mine, `SET ROLE ${new URL(other).pathname.slice(1)}`)).rejects.toThrow(
      /permission denied/,
    );
    await expect(query(mine, 'CREATE DATABASE loot')).rejects.toThrow(/permission denied/);
    await expect(query(mine, `COPY (SELECT 1) TO PROGRAM 'true'`)).rejects.toThrow(/must be superuser/);
  });

  test('a plan says how many connections there may be', async () => {
    const uuid = newId();
    const url = await made(provider(), uuid);
    const limit = async (): Promise<unknown> =>
      (await query(url, 'SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user'))[0]?.[
        'rolconnlimit'
      ];
    expect(await limit()).toBe(20);
    await provider().changePlan({ uuid, plan: 'basic' }, signal);
    expect(await limit()).toBe(100);
    await provider().changePlan({ uuid, plan: 'unlimited' }, signal);
    expect(await limit()).toBe(-1);
  });

  test('old credentials work until they are ended, and everything is there for the new ones', async () => {
    const uuid = newId();
    const before = await made(provider(), uuid);
    await query(before, 'CREATE TABLE cats (name text)');
    await query(before, 'SET ROLE NONE; CREATE SCHEMA mine; CREATE TABLE mine.dogs (name text)').catch(
      () => {},
    );
    const config = await provider().rotate(
      { uuid, config: { DATABASE_URL: before }, generation: '7' },
      signal,
    );
    const after = config['DATABASE_URL'] ?? '';
    expect(after).not.toBe(before);
    expect(
      await provider().rotate({ uuid, config: { DATABASE_URL: before }, generation: '7' }, signal),
    ).toEqual(config);
    await query(before, `INSERT INTO cats VALUES ('Tom')`);
    await query(after, `INSERT INTO cats VALUES ('Kit'); ALTER TABLE cats ADD age int`);

    const open = new Client({ connectionString: before });
    const ended = new Promise((resolve) => open.on('error', resolve));
    await open.connect();
    await provider().endOthers({ uuid, config }, signal);
    await provider().endOthers({ uuid, config }, signal);
    await ended;
    await expect(query(before, 'SELECT 1')).rejects.toThrow(/not permitted to log in|authentication failed/);
    expect(await query(after, 'SELECT count(*)::int AS cats FROM cats')).toEqual([{ cats: 2 }]);
    await query(after, 'DROP TABLE cats');

    const again = await provider().rotate({ uuid, config, generation: '8' }, signal);
    await query(again['DATABASE_URL'] ?? '', 'SELECT 1');
    await query(after, 'SELECT 1');
  });

  test('what a login made in its own name is the new one’s as well', async () => {
    const uuid = newId();
    const before = await made(provider(), uuid);
    await query(before, 'GRANT ALL ON SCHEMA public TO PUBLIC');
    const login = new URL(before).username;
    await query(before, `SET ROLE ${login}; CREATE TABLE dogs (name text)`);
    const config = await provider().rotate(
      { uuid, config: { DATABASE_URL: before }, generation: '7' },
      signal,
    );
    await provider().endOthers({ uuid, config }, signal);
    await query(config['DATABASE_URL'] ?? '', 'DROP TABLE dogs');
  });

  test('what a user puts in the way of names is not run by the administrator', async () => {
    const uuid = newId();
    const before = await made(provider(), uuid);
    const database = new URL(before).pathname.slice(1);
    await query(before, 'CREATE SCHEMA trap; CREATE TABLE trap.caught (who text)');
    await query(
      before,
      `CREATE FUNCTION trap.spring() RETURNS name LANGUAGE plpgsql AS
         'BEGIN INSERT INTO trap.caught VALUES (current_user); RETURN NULL; END'`,
    );
    await query(before, 'CREATE VIEW trap.pg_roles AS SELECT trap.spring() AS rolname');
    await query(before, `ALTER DATABASE ${database} SET search_path = trap, pg_catalog`);
    const config = await provider().rotate(
      { uuid, config: { DATABASE_URL: before }, generation: '7' },
      signal,
    );
    await provider().endOthers({ uuid, config }, signal);
    expect(await query(config['DATABASE_URL'] ?? '', 'SELECT who FROM trap.caught')).toEqual([]);
  });

  test('ending credentials by a config that is none of ours ends nothing', async () => {
    const uuid = newId();
    const url = await made(provider(), uuid);
    await provider().endOthers({ uuid, config: {} }, signal);
    await query(url, 'SELECT 1');
  });

  test('deprovisioning drops the database and its roles, whoever is connected, and twice is fine', async () => {
    const uuid = newId();
    const url = await made(provider(), uuid);
    await query(url, 'SELECT lo_create(0)');
    const elsewhere = new URL(url);
    elsewhere.pathname = '/postgres';
    await query(elsewhere.href, 'RESET ROLE; SELECT lo_create(0)');
    const open = new Client({ connectionString: url });
    const ended = new Promise((resolve) => open.on('error', resolve));
    await open.connect();
    await provider().deprovision({ uuid }, signal);
    await provider().deprovision({ uuid }, signal);
    await ended;
    const like = `kith_${uuid.replaceAll('-', '')}%`;
    expect(await query(server.url, 'SELECT 1 FROM pg_database WHERE datname LIKE $1', [like])).toEqual([]);
    expect(await query(server.url, 'SELECT 1 FROM pg_roles WHERE rolname LIKE $1', [like])).toEqual([]);
  });
});

test('without a server, or with a wrong address, it says what an admin must do', async () => {
  const uuid = newId();
  const none = new Postgresql(() => ({}), secretFor, addressHere('127.0.0.1'));
  await expect(none.provision({ uuid, plan: 'mini' }, signal)).rejects.toMatchObject({
    code: 'invalid_params',
    hint: expect.stringContaining('kith providers:set kith-postgresql server') as unknown,
  });
  await expect(made(on('http://pw:secret@x'), uuid)).rejects.toMatchObject({ code: 'invalid_params' });
});

test('a server that does not let it in is a refusal, one that is down is asked again, and neither tells a password', async () => {
  const wrong = await failure(on(server.urlOf('maker', 'guess')));
  expect(wrong).toMatchObject({ code: 'invalid_params' });
  expect(wrong.message).toMatch(/password authentication failed/);
  const down = await failure(on(`postgres://maker:guess@127.0.0.1:${await freePort()}/postgres`));
  expect(down).toMatchObject({ code: 'unavailable' });
  for (const { message, stack } of [wrong, down]) expect(`${message}${stack}`).not.toContain('guess');
});

test('an administrator without the right to make roles is told the statement that gives it', async () => {
  const refused = await failure(on(server.urlOf('nobody', 'x')));
  expect(refused).toMatchObject({
    code: 'invalid_params',
    hint: 'Let it: ALTER ROLE "nobody" INHERIT CREATEROLE CREATEDB',
  });
});

test('a server that restarts is found again', async () => {
  const uuid = newId();
  const url = await made(on(server.url), uuid);
  await server.stop();
  expect(await failure(on(server.url))).toMatchObject({ code: 'unavailable' });
  await server.up();
  await eventually(() => query(url, 'SELECT 1'), { withinMs: 60_000 });
  expect(await made(on(server.url), uuid)).toBe(url);
});

async function failure(provider: Postgresql): Promise<Error> {
  return provider.provision({ uuid: newId(), plan: 'mini' }, signal).then(
    () => {
      throw new Error('It worked');
    },
    (error: unknown) => error as Error,
  );
}
