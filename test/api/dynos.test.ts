import { expect, test } from 'vitest';
import type { DynoFact, OneOffFact } from '../../src/facts.ts';
import type { AppId, DynoId, ProcessType, ReleaseId } from '../../src/ids.ts';
import { slotKey } from '../../src/ids.ts';
import { at, startApi } from './harness.ts';
import type { Harness } from './harness.ts';

function webDyno(api: Harness, app: AppId, index: number, fields: Partial<DynoFact> = {}): DynoFact {
  const type = 'web' as ProcessType;
  return {
    slot: slotKey(app, type, index),
    dyno: `dyno-${index}` as DynoId,
    app,
    type,
    index,
    release: api.host.view().apps.get(app)?.current as ReleaseId,
    generation: 'g',
    claimedAt: { ms: 0, n: 0 },
    phase: 'up',
    since: 1_000,
    size: 'Basic',
    command: 'node web.js',
    port: 5_000,
    crashes: 0,
    ...fields,
  };
}

function oneOff(api: Harness, app: AppId): OneOffFact {
  return {
    dyno: 'dyno-run' as DynoId,
    app,
    name: 'run.7',
    release: api.host.view().apps.get(app)?.current as ReleaseId,
    command: 'bash',
    size: 'Basic',
    phase: 'up',
    since: 1_000,
  };
}

test('the formation is scaled absolutely, relatively and by size, in one request', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  expect((await api.call('GET', '/apps/blog/formation')).body).toMatchObject([
    { type: 'web', quantity: 1, command: 'node web.js' },
    { type: 'worker', quantity: 0, command: 'node worker.js' },
  ]);
  const updates = [
    { type: 'web', quantity: '+2' },
    { type: 'worker', quantity: '1', size: 'standard-2x' },
  ];
  const scaled = await api.call('PATCH', '/apps/blog/formation', { updates });
  expect(scaled.body).toMatchObject([
    { type: 'web', quantity: 3 },
    { type: 'worker', quantity: 1, size: 'Standard-2X' },
  ]);
  const one = await api.call('PATCH', '/apps/blog/formation/web', { quantity: 2 });
  expect(one.body).toMatchObject({ type: 'web', quantity: 2 });
  expect((await api.call('GET', '/apps/blog/formation/web')).body).toEqual(one.body);
  expect((await api.call('PATCH', '/apps/blog/formation/clock', { quantity: 2 })).body).toMatchObject({
    id: 'not_found',
    resource: 'process_type',
  });
});

test('dynos of all peers are listed with their machine, by type and number', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.host.announce({
    dynos: [webDyno(api, app, 10), webDyno(api, app, 2, { phase: 'fetching' })],
    oneOffs: [oneOff(api, app)],
  });
  const { body } = await api.call('GET', '/apps/blog/dynos');
  expect(body).toMatchObject([
    { name: 'run.7', type: 'run', state: 'up', attach_url: null },
    { name: 'web.2', state: 'starting', release: { version: 3 } },
    { name: 'web.10', state: 'up', size: 'Basic', peer: { id: api.host.self } },
  ]);
  expect((await api.call('GET', '/apps/blog/dynos/web.10')).body).toMatchObject({ id: 'dyno-10' });
  expect((await api.call('GET', '/apps/blog/dynos/dyno-10')).body).toMatchObject({ name: 'web.10' });
  expect((await api.call('GET', '/apps/blog/dynos/web.99')).body).toMatchObject({ resource: 'dyno' });
});

test('restarts reach the app, a type or a dyno', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.host.announce({ dynos: [webDyno(api, app, 1)], oneOffs: [oneOff(api, app)] });
  await api.call('PATCH', '/apps/blog/formation/worker', { quantity: 1 });
  const scopes = () => [...(api.host.view().apps.get(app)?.restarts.keys() ?? [])].sort();
  for (const path of ['/dynos', '/formations/web', '/dynos/web.1', '/dynos/dyno-1', '/dynos/worker']) {
    expect([path, (await api.call('DELETE', `/apps/blog${path}`)).status]).toEqual([path, 202]);
  }
  expect(scopes()).toEqual(['', 'web', 'web.1', 'worker']);
  expect((await api.call('DELETE', '/apps/blog/dynos/run.7')).status).toBe(202);
  expect(api.host.stopped).toEqual(['run.7']);
  expect((await api.call('DELETE', '/apps/blog/dynos/web.9')).status).toBe(404);
  expect((await api.call('DELETE', '/apps/blog/formations/clock')).body).toMatchObject({
    resource: 'process_type',
  });
});

test('dynos are stopped by name and by type', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.host.announce({ dynos: [webDyno(api, app, 1), webDyno(api, app, 2)], oneOffs: [oneOff(api, app)] });
  expect((await api.call('POST', '/apps/blog/dynos/run.7/actions/stop')).status).toBe(202);
  expect((await api.call('POST', '/apps/blog/formations/web/actions/stop')).status).toBe(202);
  expect(api.host.stopped).toEqual(['run.7', 'web.1', 'web.2']);
  expect((await api.call('POST', '/apps/blog/dynos/run.8/actions/stop')).status).toBe(404);
});

test('a detached one-off is asked for once, however often the request is sent', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const body = {
    command: 'rake db:migrate',
    env: { TERM: 'xterm', N: 5 },
    size: 'standard-1x',
    attach: false,
  };
  const headers = { 'request-id': 'one-request-sent-twice' };
  const [first, second] = await Promise.all([
    api.call('POST', '/apps/blog/dynos', body, headers),
    api.call('POST', '/apps/blog/dynos', body, headers),
  ]);
  expect(first.status).toBe(201);
  expect(first.body).toMatchObject({ name: 'run.1', type: 'run', state: 'starting', attach_url: null });
  expect(second.body).toEqual(first.body);
  expect(api.host.oneOffs).toHaveLength(1);
  expect(api.host.oneOffs[0]?.request).toMatchObject({
    command: 'rake db:migrate',
    env: { TERM: 'xterm', N: '5' },
    size: 'Standard-1X',
    attach: null,
  });
});

test('the terminal of an attached one-off is as large as the client says', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const attach = async (more: object) => {
    const { body } = await api.call('POST', '/apps/blog/dynos', { command: 'bash', attach: true, ...more });
    expect(at(body, 'attach_url')).toMatch(
      new RegExp(`^rendezvous://127\\.0\\.0\\.1:${api.port}/0[\\w-]{43}$`),
    );
    return api.host.oneOffs.at(-1)?.request.attach;
  };
  expect(await attach({ env: { COLUMNS: '132', LINES: 50, TERM: 'vt100' } })).toEqual({
    tty: { columns: 132, rows: 50, term: 'vt100' },
  });
  expect(await attach({ env: { COLUMNS: 'wide' } })).toEqual({
    tty: { columns: 80, rows: 24, term: 'xterm' },
  });
  expect(await attach({ force_no_tty: true })).toEqual({ tty: null });
});

test('dynos that no peer can run are shown with the reason', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.host.unplacedSlots.push({ slot: slotKey(app, 'web' as ProcessType, 1), reason: 'no room' });
  const unplaced = await api.call('GET', '/kith/apps/blog/unplaced');
  expect(unplaced.body).toEqual([{ dyno: 'web.1', reason: 'no room' }]);
  expect((await api.call('GET', '/kith/apps/blog/verify')).body).toMatchObject({ problems: [] });
});

test('sizes have names, a wrong one is named in the refusal, and usage is what the peers answer', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const sizes = await api.call('GET', '/dyno-sizes');
  expect(sizes.body).toContainEqual(expect.objectContaining({ name: 'Standard-2X', memory: 1 }));
  const updates = [{ type: 'web', quantity: 3, size: 'Huge' }];
  const refused = await api.call('PATCH', '/apps/blog/formation', { updates });
  expect(refused.status).toBe(422);
  expect(JSON.stringify(refused.body)).toContain('\\"Huge\\" is no dyno size: there are Eco, Basic');
  api.host.usages.push({
    dyno: 'dyno-1' as DynoId,
    stats: { rssMiB: 40.123, swapMiB: 2, cacheMiB: 9, cpuSeconds: 1, processes: 3 },
    load: [0.126, 0.05, 0],
    quotaMiB: 512,
  });
  expect(app).toBeDefined();
  expect((await api.call('GET', '/kith/apps/blog/usage')).body).toEqual([
    {
      dyno: 'dyno-1',
      memory_mib: 42.12,
      memory_quota_mib: 512,
      load_avg_1m: 0.13,
      load_avg_5m: 0.05,
      load_avg_15m: 0,
      processes: 3,
    },
  ]);
});

test('a feature of an app is listed, switched on and off, and unknown ones are refused', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  expect((await api.call('GET', '/apps/blog/features')).body).toMatchObject([
    { name: 'log-runtime-metrics', enabled: false },
  ]);
  const path = '/apps/blog/features/log-runtime-metrics';
  expect((await api.call('PATCH', path, { enabled: true })).body).toMatchObject({ enabled: true });
  expect((await api.call('GET', path)).body).toMatchObject({ enabled: true });
  expect((await api.call('PATCH', path, { enabled: false })).body).toMatchObject({ enabled: false });
  expect((await api.call('PATCH', '/apps/blog/features/telepathy', { enabled: true })).status).toBe(404);
});
