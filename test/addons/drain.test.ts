import { afterEach, beforeEach, expect, test } from 'vitest';
import { logInputUrl } from '../../agent/lib/log-input.ts';
import type { AddonId } from '../../src/ids.ts';
import { batchFrame } from '../../src/logs/drain-frame.ts';
import { at } from '../api/harness.ts';
import { eventually } from '../helpers/eventually.ts';
import { startPlatform } from './platform.ts';
import type { Platform } from './platform.ts';

const URL_OPTION = 'syslog+tls://logs.example.com:6514';
let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
  await platform.call('POST', '/apps', { name: 'blog' });
});

afterEach(() => platform[Symbol.asyncDispose]());

async function create(config: Record<string, string>) {
  return platform.call('POST', '/apps/blog/addons', { plan: 'kith-drain', config });
}

async function drains(): Promise<readonly unknown[]> {
  return (await platform.call('GET', '/apps/blog/log-drains')).body as readonly unknown[];
}

/** Posts lines where the add-on may. */
async function input(url: string, body: string): Promise<number> {
  const { username, password, origin, pathname } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/logplex-1' };
  return (await fetch(origin + pathname, { method: 'POST', headers, body })).status;
}

test('kith-drain is a drain that comes and goes with its add-on', async () => {
  const { status, body } = await create({ url: URL_OPTION });
  expect(status).toBe(201);
  const name = at(body, 'name');
  const [drain] = await eventually(async () => ((await drains()).length > 0 ? drains() : null));
  expect(drain).toMatchObject({ url: URL_OPTION, addon: { name } });
  const token = at(drain, 'token');
  const refused = await platform.call('DELETE', `/apps/blog/log-drains/${token}`);
  expect(refused).toMatchObject({ status: 403, body: { id: 'forbidden' } });
  await platform.call('DELETE', `/apps/blog/addons/${name}`, { force: true });
  await eventually(async () => (await drains()).length === 0);
});

test.each<Record<string, string>>([{}, { url: 'ftp://logs.example.com' }])(
  'kith-drain refuses the options %j',
  async (config) => {
    const { status } = await create(config);
    expect(status).toBe(422);
    expect(await drains()).toEqual([]);
  },
);

test('an add-on adds lines to the log of its app, under its service’s name', async () => {
  const { body } = await create({ url: URL_OPTION });
  const addon = at(body, 'id') as AddonId;
  const url = logInputUrl(platform.host, addon, `127.0.0.1:${platform.port}`);
  const frames = ['sample#load=1', 'sample#load=2'].map((text) =>
    batchFrame({ timeUs: 0, source: 'app', process: 't.1', text }),
  );
  expect(await input(url, frames.join(''))).toBe(202);
  const lines = platform.logs.lines.filter(({ process }) => process === 'kith-drain');
  expect(lines.map(({ source, text }) => [source, text])).toEqual([
    ['app', 'sample#load=1'],
    ['app', 'sample#load=2'],
  ]);
});

test('nobody adds lines with other credentials, to no add-on, or with what is no batch', async () => {
  const { body } = await create({ url: URL_OPTION });
  const addon = at(body, 'id') as AddonId;
  const api = `127.0.0.1:${platform.port}`;
  const good = logInputUrl(platform.host, addon, api);
  const other = 'a0000000-0000-4000-8000-000000000009' as AddonId;
  const forged = logInputUrl(platform.host, other, api).replace(`/${other}/`, `/${addon}/`);
  expect(await input(forged, '')).toBe(401);
  expect(await input(good.replace('token:', 'ann:'), '')).toBe(401);
  expect(await input(logInputUrl(platform.host, other, api), '')).toBe(404);
  expect(await input(good, 'hello')).toBe(400);
  expect(await input(good, 'x'.repeat(1_100_000))).toBe(413);
  expect(platform.logs.lines.filter(({ process }) => process === 'kith-drain')).toEqual([]);
});
