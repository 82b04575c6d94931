import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AddonId } from '../../src/ids.ts';
import type { Addon } from '../../src/ledger/addons/addon-types.ts';
import { findAddonById } from '../../src/ledger/addons/attachments.ts';
import { at } from '../api/harness.ts';
import { eventually } from '../helpers/eventually.ts';
import { startPlatform } from './platform.ts';
import type { Platform } from './platform.ts';
import { PostgresProcess, query } from './postgres-process.ts';

let server: PostgresProcess;
let platform: Platform;

beforeAll(async () => {
  server = await PostgresProcess.start();
}, 120_000);
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  platform = await startPlatform();
  await platform.call('PATCH', '/kith/providers/kith-postgresql', { settings: { server: server.url } });
  await platform.call('POST', '/apps', { name: 'blog' });
});
afterEach(() => platform[Symbol.asyncDispose]());

async function create(): Promise<() => Addon> {
  const answer = await platform.call('POST', '/apps/blog/addons', { plan: 'kith-postgresql' });
  expect(answer).toMatchObject({ status: 201 });
  const id = at(answer.body, 'id') as AddonId;
  return () => {
    const addon = findAddonById(platform.host.view(), id);
    if (addon === null) throw new Error('No add-on');
    return addon;
  };
}

async function databaseUrl(): Promise<string> {
  return at((await platform.call('GET', '/apps/blog/config-vars')).body, 'DATABASE_URL');
}

/** Has the peer say that it runs a dyno of the app's present release. @returns has it end */
function runDyno({ app }: Addon): () => void {
  const [status] = platform.host.statuses;
  if (status?.facts == null) throw new Error('no facts');
  const release = platform.host.view().apps.get(app)?.current;
  const { facts } = status;
  const say = (dynos: readonly unknown[]): void => {
    platform.host.statuses[0] = { ...status, facts: { ...facts, dynos: dynos as typeof facts.dynos } };
  };
  say([{ app, release }]);
  return () => say([]);
}

test('rotating makes a release, and ends the old credentials once no dyno has them', async () => {
  const addon = await create();
  const before = await databaseUrl();
  await query(before, 'CREATE TABLE cats (name text)');
  const endDyno = runDyno(addon());
  expect(await platform.call('POST', `/kith/addons/${addon().name}/actions/rotate`)).toMatchObject({
    status: 200,
  });
  const after = await databaseUrl();
  expect(after).not.toBe(before);
  expect(addon().rotation).toMatchObject({ stage: 'released' });
  await query(before, 'SELECT 1');
  expect(await platform.call('POST', `/kith/addons/${addon().name}/actions/rotate`)).toMatchObject({
    status: 409,
  });
  endDyno();
  await eventually(() => addon().rotation === null, { withinMs: 60_000 });
  await expect(query(before, 'SELECT 1')).rejects.toThrow(/authentication failed|not permitted/);
  await query(after, 'DROP TABLE cats');
});

test('a peer that dies at any point leaves a working app, and the next finishes', async () => {
  const addon = await create();
  const before = await databaseUrl();
  platform.stopWorking();
  const asked = platform.call('POST', `/kith/addons/${addon().name}/actions/rotate`);
  await eventually(() => addon().rotation?.stage === 'asked');
  await query(await databaseUrl(), 'SELECT 1');
  const endDyno = runDyno(addon());
  platform.startWorking();
  expect(await asked).toMatchObject({ status: 200 });
  platform.stopWorking();
  const after = await databaseUrl();
  for (const url of [before, after]) await query(url, 'SELECT 1');
  endDyno();
  platform.startWorking();
  await eventually(() => addon().rotation === null, { withinMs: 60_000 });
  await query(after, 'SELECT 1');
  await expect(query(before, 'SELECT 1')).rejects.toThrow(/authentication failed|not permitted/);
});

test('a plan can be changed while the old credentials are still in use', async () => {
  const addon = await create();
  const endDyno = runDyno(addon());
  await platform.call('POST', `/kith/addons/${addon().name}/actions/rotate`);
  const changed = await platform.call('PATCH', `/apps/blog/addons/${addon().name}`, {
    plan: 'kith-postgresql:basic',
  });
  expect(changed).toMatchObject({ status: 200, body: { plan: { name: 'kith-postgresql:basic' } } });
  endDyno();
});

test('what no provider offers is refused with a sentence', async () => {
  const answer = await platform.call('POST', '/apps/blog/addons', {
    plan: 'kith-drain',
    config: { url: 'syslog://127.0.0.1:1' },
  });
  const name = at(answer.body, 'name');
  expect(await platform.call('POST', `/kith/addons/${name}/actions/rotate`)).toMatchObject({ status: 422 });
  expect(await platform.call('GET', `/kith/addons/${name}/dump`)).toMatchObject({ status: 422 });
});
