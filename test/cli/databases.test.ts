import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tempDir } from '../helpers/temp-dir.ts';
import { runKith } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

const PASSWORD = 'p@ss word';
const addon = (service: string) => ({
  id: '074794eb-fe8e-8e5f-8ee2-83857d988393',
  name: `${service}-flat-12345`,
  app: { id: '174794eb-fe8e-8e5f-8ee2-83857d988393', name: 'blog' },
  addon_service: { id: service, name: service },
  plan: { name: `${service}:mini` },
  state: 'provisioned',
  config_vars: ['URL'],
  provision_message: null,
  created_at: '2026-01-02T03:04:05Z',
});
const POSTGRES = addon('kith-postgresql');
const REDIS = addon('kith-redis');
const CONFIG = `GET /addons/${POSTGRES.id}/config`;

async function stub(): Promise<{ api: StubApi; env: Record<string, string> }> {
  const api = await StubApi.start();
  onTestFinished(() => api[Symbol.asyncDispose]());
  return { api, env: { KITH_HOST: api.host, KITH_TOKEN: 'secret', KITH_APP: 'blog' } };
}

/** A program that writes down how it was called. */
async function spy(name: string): Promise<{ path: string; called: () => string }> {
  const dir = await tempDir();
  onTestFinished(() => dir[Symbol.asyncDispose]());
  const file = join(dir.path, 'called');
  writeFileSync(join(dir.path, name), `#!/bin/sh\n{ echo "args: $*"; env; } > ${file}\n`);
  chmodSync(join(dir.path, name), 0o755);
  return {
    path: `${dir.path}${delimiter}${process.env['PATH']}`,
    called: () => readFileSync(file, 'utf8'),
  };
}

test('pg:psql gives the password to psql in its environment alone', async () => {
  const { api, env } = await stub();
  const psql = await spy('psql');
  const url = `postgres://kith_a:${encodeURIComponent(PASSWORD)}@10.0.0.7:5433/kith?sslmode=require`;
  api.on('GET /apps/blog/addons', [REDIS, POSTGRES]).on(CONFIG, [{ name: 'DATABASE_URL', value: url }]);
  const ran = await runKith(['pg:psql', '-c', 'SELECT 1'], { env: { ...env, PATH: psql.path } });
  expect(ran.status).toBe(0);
  const called = psql.called().split('\n');
  expect(called).toContain('args: -c SELECT 1');
  for (const line of [`PGPASSWORD=${PASSWORD}`, 'PGHOST=10.0.0.7', 'PGPORT=5433', 'PGSSLMODE=require']) {
    expect(called).toContain(line);
  }
});

test('redis:cli gives the password to redis-cli in its environment alone', async () => {
  const { api, env } = await stub();
  const redis = await spy('redis-cli');
  const url = `redis://kith_a:${encodeURIComponent(PASSWORD)}@10.0.0.7:6380/3`;
  api.on('POST /actions/addons/resolve', [REDIS]).on(CONFIG, [{ name: 'REDIS_URL', value: url }]);
  const ran = await runKith(['redis:cli', 'REDIS', 'GET', '--x'], { env: { ...env, PATH: redis.path } });
  expect(ran.status).toBe(0);
  const called = redis.called().split('\n');
  expect(called).toContain('args: -h 10.0.0.7 -p 6380 --user kith_a -n 3 GET --x');
  expect(called).toContain(`REDISCLI_AUTH=${PASSWORD}`);
});

test('the client of a server that dynos alone reach runs in a one-off dyno, its password in no command line', async () => {
  const { api, env } = await stub();
  const at = `kith_a:${encodeURIComponent(PASSWORD)}@kith.internal:61234`;
  api.on('POST /apps/blog/dynos', { name: 'run.1', attach_url: null });
  api.on('GET /apps/blog/addons', [REDIS, POSTGRES]).on('POST /actions/addons/resolve', [REDIS]);
  api.on(CONFIG, [{ name: 'DATABASE_URL', value: `postgres://${at}/kith` }]);
  await runKith(['pg:psql', '-c', "SELECT 'it''s'"], { env });
  expect(api.requests.at(-1)?.body).toMatchObject({
    command: `psql -c 'SELECT '\\''it'\\'''\\''s'\\'''`,
    env: { PGHOST: 'kith.internal', PGPORT: '61234', PGPASSWORD: PASSWORD },
  });
  api.on(CONFIG, [{ name: 'REDIS_URL', value: `redis://${at}/3` }]);
  await runKith(['redis:cli', 'REDIS', 'GET', 'kith.internal'], { env });
  expect(api.requests.at(-1)?.body).toMatchObject({
    command: 'redis-cli -h $KITH_INTERNAL_HOST -p 61234 --user kith_a -n 3 GET kith.internal',
    env: { REDISCLI_AUTH: PASSWORD },
  });
  expect(api.misfits).toEqual([]);
});

test('an app without such an add-on, or with several, is told what to do', async () => {
  const { api, env } = await stub();
  api.on('GET /apps/blog/addons', [REDIS]);
  const none = await runKith(['pg:info'], { env });
  expect(none.stderr).toContain('kith addons:create kith-postgresql -a blog');
  api.on('GET /apps/blog/addons', [POSTGRES, { ...POSTGRES, name: 'other' }]);
  const several = await runKith(['pg:info'], { env });
  expect(several.stderr).toContain('kith-postgresql-flat-12345 or other');
});

test('providers:set reads its value from stdin, and takes none in its arguments', async () => {
  const { api, env } = await stub();
  api.on('PATCH /kith/providers/kith-redis', { id: 'kith-redis' });
  const ran = await runKith(['providers:set', 'kith-redis', 'server'], { env, stdin: 'redis://:pw@x\n' });
  expect(ran.status).toBe(0);
  expect(api.requests.at(-1)?.body).toEqual({ settings: { server: 'redis://:pw@x' } });
  const unset = await runKith(['providers:set', 'kith-redis', 'server', '--unset'], { env });
  expect(unset.status).toBe(0);
  expect(api.requests.at(-1)?.body).toEqual({ settings: { server: null } });
  expect((await runKith(['providers:set', 'kith-redis', 'server'], { env, stdin: '' })).status).not.toBe(0);
  const inWords = await runKith(['providers:set', 'kith-redis', 'server', 'redis://:pw@x'], { env });
  expect(inWords.status).not.toBe(0);
  expect(api.misfits).toEqual([]);
});

test('providers:run knows what it can run, and leaves a server that was named alone', async () => {
  const { api, env } = await stub();
  const unknown = await runKith(['providers:run', 'acme-redis'], { env });
  expect(unknown.stderr).toContain('It does for kith-postgresql and kith-redis');
  const settings = [{ name: 'server', description: '', set: true }];
  api.on('GET /kith/providers', [{ id: 'kith-redis', app: null, settings }]);
  const named = await runKith(['providers:run', 'kith-redis'], { env });
  expect(named.stderr).toContain('kith providers:set kith-redis server --unset');
  expect(api.requests).toHaveLength(1);
});

test('a dump that breaks off leaves no file, and one that is whole is readable by its owner alone', async () => {
  const { api, env } = await stub();
  const dir = await tempDir();
  onTestFinished(() => dir[Symbol.asyncDispose]());
  api.on('GET /apps/blog/addons', [POSTGRES]).on(`GET /kith/addons/${POSTGRES.id}/dump`, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.write('half', () => response.destroy());
  });
  const words = ['pg:backups:download', '-o', join(dir.path, 'x.dump')];
  const broken = await runKith(words, { env });
  expect(broken.status).not.toBe(0);
  expect(() => readFileSync(join(dir.path, 'x.dump'))).toThrow('ENOENT');
  api.on(`GET /kith/addons/${POSTGRES.id}/dump`, (_, response) => void response.end('whole'));
  expect((await runKith(words, { env })).status).toBe(0);
  expect(readFileSync(join(dir.path, 'x.dump'), 'utf8')).toBe('whole');
  expect((await runKith(words, { env })).stderr).toContain('something of this name already');
});
