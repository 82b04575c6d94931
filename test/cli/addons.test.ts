import { expect, test } from 'vitest';
import { formatPrice, parseOptions } from '../../cli/lib/addons.ts';
import { runKith } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

const PRICE = { cents: 500, unit: 'month', contract: false, metered: false };
const ADDON = {
  id: '074794eb-fe8e-8e5f-8ee2-83857d988393',
  name: 'acme-redis-flat-12345',
  app: { id: '174794eb-fe8e-8e5f-8ee2-83857d988393', name: 'blog' },
  plan: { name: 'acme-redis:big', price: PRICE },
  state: 'provisioned',
  config_vars: ['REDIS_URL'],
  provision_message: 'Here it is.',
  web_url: null,
  created_at: '2026-01-02T03:04:05Z',
};

test('what stands behind -- is for the provider', () => {
  expect(parseOptions(['--fork', 'blog', '--fast', '--size=2 GB', '--last'])).toEqual({
    fork: 'blog',
    fast: 'true',
    size: '2 GB',
    last: 'true',
  });
  expect(() => parseOptions(['fork'])).toThrow('"fork" is no option');
});

test('prices are those of a month', () => {
  expect([0, 500, 1250].map(formatPrice)).toEqual(['free', '$5/month', '$12.50/month']);
});

test('addons:create tells what was made', async () => {
  await using api = await StubApi.start();
  api.on('POST /apps/blog/addons', ADDON);
  const ran = await runKith(
    ['addons:create', 'acme-redis:big', '-a', 'blog', '--as', 'CACHE', '--', '--fork', 'x'],
    { env: { KITH_HOST: api.host, KITH_TOKEN: 'secret' } },
  );
  expect(ran.status).toBe(0);
  expect(ran.stdout).toContain('Here it is.\nCreated acme-redis-flat-12345 as REDIS_URL');
  expect(api.requests.at(-1)?.body).toEqual({
    plan: { name: 'acme-redis:big' },
    attachment: { name: 'CACHE' },
    config: { fork: 'x' },
  });
  expect(api.misfits).toEqual([]);
});

test('addons:destroy wants the name of the app that owns it', async () => {
  await using api = await StubApi.start();
  api
    .on('POST /actions/addons/resolve', [ADDON])
    .on(`DELETE /apps/${ADDON.app.id}/addons/${ADDON.id}`, { ...ADDON, state: 'deprovisioned' });
  const refused = await runKith(['addons:destroy', 'REDIS', '-a', 'blog'], {
    env: { KITH_HOST: api.host, KITH_TOKEN: 'secret' },
  });
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('--confirm blog');
  const ran = await runKith(['addons:destroy', 'REDIS', '-a', 'blog', '--confirm', 'blog', '--force'], {
    env: { KITH_HOST: api.host, KITH_TOKEN: 'secret' },
  });
  expect([ran.status, api.requests.at(-1)?.body]).toEqual([0, { force: true }]);
});

test('a manifest that is not there, or no JSON, is told so', async () => {
  await using api = await StubApi.start();
  const ran = await runKith(['providers:add', '/nowhere.json'], {
    env: { KITH_HOST: api.host, KITH_TOKEN: 'secret' },
  });
  expect(ran.status).not.toBe(0);
  expect(ran.stderr).toContain('Cannot register "/nowhere.json": there is no such file or folder');
});
