import { afterAll, beforeAll, expect, test } from 'vitest';
import { Acme } from '../addons/acme.ts';
import { useCluster, WAIT_MS } from '../cluster/cluster.ts';
import { eventually } from '../helpers/eventually.ts';
import { Heroku, replicated } from './heroku.ts';

const TEST_MS = 600_000;
const cluster = useCluster(3);
const heroku = new Heroku(cluster);
const acme = new Acme();
const [APP, OTHER] = ['till', 'office'];

beforeAll(async () => {
  await acme.start();
  await cluster.peer('ash').call('/kith/providers', { method: 'POST', body: JSON.stringify(acme.manifest) });
});
afterAll(() => acme[Symbol.asyncDispose]());

test('services and plans are listed, those of a provider and our own', { timeout: TEST_MS }, async () => {
  await heroku.shows(
    ['addons:services'],
    /acme-redis +Acme Redis/,
    'kith-postgresql',
    'kith-redis',
    'kith-drain',
  );
  await heroku.shows(
    ['addons:plans', 'acme-redis'],
    /default +acme-redis:mini/,
    /acme-redis:big +Big .*\$5\/month/,
  );
  expect(await heroku.run('addons:docs', 'acme-redis', '--show-url')).toContain('/acme-redis');
});

test('an add-on is created, shown, upgraded and renamed', { timeout: TEST_MS }, async () => {
  for (const app of [APP, OTHER]) await heroku.run('apps:create', app);
  await heroku.shows(['apps'], APP, OTHER);
  await heroku.shows(['addons', '-a', APP], 'No add-ons for app till');
  const created = await heroku.run('addons:create', 'acme-redis:mini', '--name', 'cache-1', '-a', APP);
  expect(created).toMatch(/Your Redis is here\.[^]*Created cache-1 as REDIS_URL/);
  await heroku.shows(['config', '-a', APP], /REDIS_URL: +redis:\/\/mini\./);
  await heroku.shows(['addons', '-a', APP], /acme-redis \(cache-1\) +mini +free +free +created/, /as REDIS/);
  await heroku.shows(['addons', '--all'], /till +cache-1 +acme-redis:mini/);
  await heroku.shows(
    ['addons:info', 'cache-1'],
    /Plan: +acme-redis:mini/,
    /Attachments: +till::REDIS/,
    /State: +created/,
  );
  const upgraded = await heroku.run('addons:upgrade', 'cache-1', 'acme-redis:big', '-a', APP);
  expect(upgraded).toContain('It is big now.');
  await heroku.shows(['config', '-a', APP], /REDIS_URL: +redis:\/\/big\./);
  await heroku.shows(['addons', '-a', APP], /acme-redis \(cache-1\) +big +~\$0\.007\/hour +\$5\/month/);
  await heroku.run('addons:rename', 'cache-1', 'cache-one');
  await heroku.shows(['addons:info', 'cache-one', '-a', APP], '=== cache-one');
  const link = (await heroku.run('addons:open', 'cache-one', '-a', APP, '--show-url')).trim();
  expect(link).toMatch(/^http/);
  await heroku.shows(['releases', '-a', APP], /Attach REDIS|completed provisioning, setting REDIS_URL/);
});

test(
  'an add-on is attached to another app under another name, and detached',
  { timeout: TEST_MS },
  async () => {
    await heroku.run('addons:attach', 'cache-one', '--as', 'CACHE', '-a', OTHER);
    await heroku.shows(['config', '-a', OTHER], /CACHE_URL: +redis:\/\/big\./);
    await heroku.shows(['addons', '-a', OTHER], 'cache-one', 'as CACHE');
    await heroku.shows(['addons:info', 'cache-one'], /office::CACHE[^]*till::REDIS/);
    const shared = await heroku.fails('addons:destroy', 'cache-one', '-a', APP, '--confirm', APP);
    expect(shared.said).toMatch(/attached|force/);
    await heroku.run('addons:detach', 'CACHE', '-a', OTHER);
    await heroku.shows(['config', '-a', OTHER], /^((?!CACHE)[^])*$/);
  },
);

test('config vars of the user are replaced only when confirmed', { timeout: TEST_MS }, async () => {
  await heroku.run('config:set', 'REDIS_URL=mine', '-a', OTHER);
  await heroku.shows(['config', '-a', OTHER], 'mine');
  await heroku.fails('addons:create', 'acme-redis', '-a', OTHER, '--confirm', 'wrong');
  await heroku.run('addons:create', 'acme-redis', '--name', 'cache-2', '-a', OTHER, '--confirm', OTHER);
  await heroku.shows(['config', '-a', OTHER], /REDIS_URL: +redis:\/\/mini\./);
});

test('an app is created with several add-ons at once', { timeout: TEST_MS }, async () => {
  await heroku.run('apps:create', 'both', '--addons', 'acme-redis:mini,acme-redis:big');
  await heroku.shows(['addons', '-a', 'both'], /acme-redis \(\S+\) +mini/, /acme-redis \(\S+\) +big/);
  await heroku.run('apps:destroy', '-a', 'both', '--confirm', 'both');
});

test('an add-on that takes a while is waited for', { timeout: TEST_MS }, async () => {
  acme.isAsync = true;
  const created = await heroku.run(
    'addons:create',
    'acme-redis',
    '--name',
    'cache-3',
    '--as',
    'SLOW',
    '-a',
    APP,
  );
  expect(created).toContain('cache-3 is being created in the background');
  await heroku.shows(['addons:info', 'cache-3', '-a', APP], /State: +creating/);
  const [uuid] = [...acme.resources].find(([, { name }]) => name === 'cache-3') ?? [''];
  const { access_token } = await acme.tokensOf(uuid, cluster.peer('birch').api);
  await replicated(cluster);
  const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
  const say = (path: string, method: string, body: unknown) =>
    fetch(`${cluster.peer('cedar').api}/addons/${uuid}${path}`, {
      method,
      headers,
      body: JSON.stringify(body),
    });
  const set = await say('/config', 'PATCH', { config: [{ name: 'REDIS_URL', value: 'redis://slow' }] });
  const done = await say('/actions/provision', 'POST', {});
  expect([set.status, done.status]).toEqual([200, 200]);
  await heroku.run('addons:wait', 'cache-3', '-a', APP, '--wait-interval', '1');
  await heroku.shows(['config', '-a', APP], /SLOW_URL: +redis:\/\/slow/);
  acme.isAsync = false;
});

test('what a provider refuses, and what there is not, is said', { timeout: TEST_MS }, async () => {
  acme.misbehave = ({ method }) =>
    method === 'POST' ? { status: 422, body: { message: 'No more today.' } } : null;
  const refused = await heroku.fails('addons:create', 'acme-redis', '-a', APP);
  expect(refused).toEqual({ status: 2, said: expect.stringContaining('No more today.') });
  acme.misbehave = () => null;
  expect((await heroku.fails('addons:create', 'no-such-service', '-a', APP)).said).toContain(
    'no-such-service',
  );
  expect((await heroku.fails('addons:upgrade', 'cache-one', 'acme-redis:huge', '-a', APP)).status).not.toBe(
    0,
  );
  expect((await heroku.fails('addons:info', 'nothing', '-a', APP)).said).toMatch(/Couldn't find/);
});

test(
  'our own drain add-on comes with options, and shows among the drains',
  { timeout: TEST_MS },
  async () => {
    const url = 'syslog://127.0.0.1:6514';
    await heroku.run('addons:create', 'kith-drain', '--name', 'pipe', '-a', APP, '--', '--url', url);
    await heroku.shows(['drains', '-a', APP], /=== Add-on Drains\s+kith-drain:url \(pipe\)/);
  },
);

test('what is destroyed is gone, from the app and from its provider', { timeout: TEST_MS }, async () => {
  await heroku.run('addons:destroy', 'cache-one', 'pipe', '-a', APP, '--confirm', APP);
  await heroku.shows(['addons', '-a', APP], /^((?!cache-one|pipe)[^])*$/);
  await heroku.run('apps:destroy', '-a', OTHER, '--confirm', OTHER);
  await eventually(() => acme.names.join() === 'cache-3', { withinMs: WAIT_MS });
  await heroku.shows(['addons', '--all'], 'cache-3', /^((?!cache-2)[^])*$/);
});
