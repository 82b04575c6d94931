import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answers, deploy, formationMet, writeApp } from '../cluster/apps.ts';
import { useCluster } from '../cluster/cluster.ts';
import { Heroku } from './heroku.ts';

const TEST_MS = 600_000;
const cluster = useCluster(3);
const heroku = new Heroku(cluster);
const birch = cluster.peer('birch');
const [PIPE, STAGING, LIVE] = ['shop', 'shop-staging', 'shop-live'];

test('a pipeline is made of apps, shown, renamed, and its apps moved', { timeout: TEST_MS }, async () => {
  for (const app of [STAGING, LIVE]) await heroku.run('apps:create', app, '-b', 'heroku/procfile');
  await heroku.shows(['apps'], STAGING, LIVE);
  await heroku.run('pipelines:create', 'first', '-a', STAGING, '-s', 'development');
  await heroku.shows(['pipelines'], /^first$/m);
  await heroku.run('pipelines:rename', 'first', PIPE);
  await heroku.shows(['pipelines'], /^shop$/m);
  await heroku.run('pipelines:add', PIPE, '-a', LIVE, '-s', 'production');
  await heroku.run('pipelines:update', '-s', 'staging', '-a', STAGING);
  await heroku.shows(
    ['pipelines:info', PIPE],
    /owner: admin@ash/,
    /shop-staging +staging/,
    /shop-live +production/,
  );
  await heroku.shows(['apps:info', '-a', STAGING], /Pipeline: +shop/);
  expect((await heroku.fails('pipelines:info', 'nothing')).said).toContain('Pipeline not found');
});

test('a promotion releases the same code with other config', { timeout: TEST_MS }, async () => {
  const empty = await heroku.fails('pipelines:promote', '-a', STAGING);
  expect(empty.status).toBe(2);
  await heroku.run('config:set', 'GREETING=staged', '-a', STAGING);
  await heroku.run('config:set', 'GREETING=live', '-a', LIVE);
  await deploy(birch, STAGING, writeApp(join(cluster.dir, 'app')));
  await heroku.shows(['releases', '-a', STAGING], 'Current: v4');
  const promoted = await heroku.run('pipelines:promote', '-a', STAGING);
  expect(promoted).toMatch(/Promotion successful\nshop-live: succeeded/);
  await heroku.shows(['releases', '-a', LIVE], /v4 +Promote shop-staging v4/, 'Current: v4');
  await formationMet(birch, LIVE, 1);
  await answers(birch, LIVE, /^one web\.1 live$/);
  expect((await heroku.fails('pipelines:promote', '-a', LIVE)).said).toContain(
    "Cannot promote shop-live from 'production'",
  );
});

test('review apps are switched on, and made of sources that are sent', { timeout: TEST_MS }, async () => {
  await heroku.run('reviewapps:enable', '-p', PIPE);
  await heroku.run('reviewapps:enable', '-p', PIPE, '--autodestroy');
  const refused = await heroku.fails('reviewapps:create', '-p', PIPE, '-b', 'main');
  expect(refused).toEqual({ status: 2, said: expect.stringContaining('no GitHub') });
  expect((await heroku.fails('reviewapps:wait', LIVE)).said).toContain('is no review app');
  await heroku.run('reviewapps:disable', '-p', PIPE);
});

test('apps leave a pipeline, and it is given away and destroyed', async () => {
  await heroku.run('pipelines:remove', '-a', LIVE);
  await heroku.shows(['pipelines:info', PIPE], /^((?!shop-live)[^])*$/);
  await heroku.run('pipelines:transfer', 'admin@ash', '-p', PIPE, '-c', PIPE);
  await heroku.run('pipelines:destroy', PIPE);
  await heroku.shows(['pipelines'], /^((?!shop)[^])*$/);
});
