import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query } from '../addons/postgres-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { owner, ServiceProcess } from './service-process.ts';

const WAIT = { withinMs: 60_000, everyMs: 50 };
let service: ServiceProcess;

beforeAll(async () => {
  service = await ServiceProcess.make('postgresql');
});
afterAll(() => service[Symbol.asyncDispose]());

function urlOf(password = service.password, port = service.port): string {
  return `postgres://kith:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
}

function answers(port = service.port): Promise<unknown> {
  return eventually(() => query(urlOf(service.password, port), 'SELECT 1'), WAIT);
}

async function words(): Promise<readonly unknown[]> {
  return (await query(urlOf(), 'SELECT word FROM words ORDER BY word')).map(({ word }) => word);
}

test('without a volume it says so, for its data would end with the dyno', async () => {
  service.unmount();
  expect(await service.failure()).toContain('There is no volume');
  service.mount();
});

test('an empty volume becomes a server, though a start was killed in the middle of making it', async () => {
  const half = join(service.volume, 'postgresql.new');
  mkdirSync(half, { mode: 0o777 });
  service.start();
  await answers();
  await query(urlOf(), 'CREATE TABLE words (word text)');
  await query(urlOf(), `INSERT INTO words VALUES ('ant')`);
  expect(existsSync(half)).toBe(false);
  expect(service.said).not.toContain(service.password);
  // Its machine's network is its own: the router is all who may connect.
  expect(service.said).toContain('listening on IPv4 address "127.0.0.1"');
  expect(service.said).not.toContain('0.0.0.0');
});

test('nobody is let in without the password, nor into its own databases but the administrator', async () => {
  await expect(query(urlOf('another'), 'SELECT 1')).rejects.toThrow(/authentication failed/);
  await query(urlOf(), `CREATE ROLE guest LOGIN PASSWORD 'guest'`);
  const guest = `postgres://guest:guest@127.0.0.1:${service.port}/postgres`;
  // A first start takes the right from everybody as soon as it listens.
  await eventually(
    () => expect(query(guest, 'SELECT 1')).rejects.toThrow(/permission denied for database/),
    WAIT,
  );
});

test('SIGTERM to all of its processes ends it well, whoever is connected', async () => {
  const client = new Client({ connectionString: urlOf() });
  client.on('error', () => {});
  await client.connect();
  const asleep = expect(client.query('SELECT pg_sleep(600)')).rejects.toThrow(/terminat/);
  expect(await service.stop()).toBe(0);
  await asleep;
  expect(service.said).toContain('database system is shut down');
});

test('a changed password counts from the next start on', async () => {
  const before = service.password;
  service.password = 'new';
  service.start();
  await answers();
  await expect(query(urlOf(before), 'SELECT 1')).rejects.toThrow(/authentication failed/);
  expect(await words()).toEqual(['ant']);
});

test('what was committed outlives a kill, and a pid file that names somebody else by now', async () => {
  await query(urlOf(), `INSERT INTO words VALUES ('bee')`);
  await service.stop('SIGKILL');
  const other = spawn('sleep', ['600'], owner);
  await once(other, 'spawn');
  const file = join(service.volume, 'postgresql', 'postmaster.pid');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, String(other.pid)));
  try {
    service.start();
    await answers();
  } finally {
    other.kill('SIGKILL');
  }
  await eventually(() => service.said.includes('was not properly shut down'), WAIT);
  expect(await words()).toEqual(['ant', 'bee']);
});

test('a second one waits until the first has let go of the data', async () => {
  await using second = await ServiceProcess.make('postgresql');
  second.mountThatOf(service);
  second.start();
  await query(urlOf(), `INSERT INTO words VALUES ('cat')`);
  expect(second.said).toBe('');
  expect(await service.stop()).toBe(0);
  await answers(second.port);
  const found = await query(urlOf(service.password, second.port), 'SELECT count(*)::int AS n FROM words');
  expect(found).toEqual([{ n: 3 }]);
  expect(await second.stop()).toBe(0);
});

test('data of a version that is not installed are left alone', async () => {
  const file = join(service.volume, 'postgresql', 'PG_VERSION');
  const version = readFileSync(file, 'utf8');
  writeFileSync(file, '9\n');
  expect(await service.failure()).toMatch(/data are of PostgreSQL 9, and what is installed here is \d+/);
  writeFileSync(file, version);
});
