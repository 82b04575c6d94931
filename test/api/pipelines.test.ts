import { expect, test } from 'vitest';
import type { AppId, PromotionId } from '../../src/ids.ts';
import { as, letIn, tokenFor } from './callers.ts';
import { at, startApi } from './harness.ts';
import type { Harness } from './harness.ts';

/** `shop-staging` has code, `shop` has none; both are in the pipeline `shop`. */
async function pipelined(api: Harness): Promise<string> {
  await api.deployedApp('shop-staging');
  await api.call('POST', '/apps', { name: 'shop' });
  const { body } = await api.call('POST', '/pipelines', {
    name: 'shop',
    owner: { id: 'ann@example.com', type: 'user' },
    generation: { name: 'cedar' },
  });
  const pipeline = at(body, 'id');
  await api.call('POST', '/pipeline-couplings', { app: 'shop-staging', pipeline, stage: 'staging' });
  await api.call('POST', '/pipeline-couplings', { app: 'shop', pipeline, stage: 'production' });
  return pipeline;
}

async function ref(api: Harness, app: string): Promise<{ app: { id: string } }> {
  return { app: { id: at((await api.call('GET', `/apps/${app}`)).body, 'id') } };
}

test('a pipeline is found by id, by name, and as Heroku’s client asks for it', async () => {
  await using api = await startApi();
  const id = await pipelined(api);
  for (const path of [`/pipelines/${id}`, '/pipelines/shop']) {
    expect((await api.call('GET', path)).body).toMatchObject({
      id,
      name: 'shop',
      owner: { type: 'user', email: 'ann@example.com' },
    });
  }
  expect((await api.call('GET', '/pipelines?eq[name]=shop')).body).toMatchObject([{ id }]);
  expect((await api.call('GET', '/pipelines?eq[name]=other')).body).toEqual([]);
  expect(await api.call('GET', '/pipelines/other')).toMatchObject({
    status: 404,
    body: { id: 'not_found', resource: 'pipeline' },
  });
});

test('couplings are listed by stage, moved and removed, and the apps of a pipeline come all at once', async () => {
  await using api = await startApi();
  const id = await pipelined(api);
  const { body } = await api.call('GET', `/pipelines/${id}/pipeline-couplings`);
  expect(body).toMatchObject([
    { app: { name: 'shop-staging' }, stage: 'staging', pipeline: { id, name: 'shop' } },
    { app: { name: 'shop' }, stage: 'production' },
  ]);
  const apps = await api.call(
    'POST',
    '/filters/apps',
    { in: { id: [at(body, 0, 'app', 'id'), at(body, 1, 'app', 'id')] } },
    { range: 'id ..; max=1000;' },
  );
  expect(apps.status).toBe(200);
  expect((apps.body as { name: string }[]).map(({ name }) => name).sort()).toEqual(['shop', 'shop-staging']);
  const coupling = at((await api.call('GET', '/apps/shop/pipeline-couplings')).body, 'id');
  const moved = await api.call('PATCH', `/pipeline-couplings/${coupling}`, { stage: 'development' });
  expect(moved.body).toMatchObject({ stage: 'development' });
  expect((await api.call('DELETE', `/pipeline-couplings/${coupling}`)).status).toBe(200);
  expect((await api.call('GET', '/apps/shop/pipeline-couplings')).status).toBe(404);
});

test('an app is in one pipeline at most', async () => {
  await using api = await startApi();
  await pipelined(api);
  await api.call('POST', '/pipelines', { name: 'other' });
  const second = await api.call('POST', '/pipeline-couplings', {
    app: 'shop',
    pipeline: { name: 'other' },
    stage: 'staging',
  });
  expect(second.status).toBe(422);
  expect(at(second.body, 'message')).toContain('it is in "shop"');
});

test('a promotion is pending until its release is made, and tells of that and of what became of it', async () => {
  await using api = await startApi();
  const id = await pipelined(api);
  const [source, target] = [await ref(api, 'shop-staging'), await ref(api, 'shop')];
  const made = await api.call('POST', '/pipeline-promotions', {
    pipeline: { id },
    source,
    targets: [target],
  });
  expect(made).toMatchObject({ status: 201, body: { status: 'pending', pipeline: { id }, source } });
  const path = `/pipeline-promotions/${at(made.body, 'id')}`;
  const targets = await api.call('GET', `${path}/promotion-targets`);
  expect(targets.body).toMatchObject([{ ...target, status: 'pending', release: null, error_message: null }]);
  api.host.write(
    {
      type: 'release.promote',
      app: target.app.id as AppId,
      promotion: at(made.body, 'id') as PromotionId,
    },
    { user: 'kith', request: null },
  );
  const [newest] = (
    await api.call('GET', '/apps/shop/releases', undefined, { range: 'version ..; order=desc,max=1' })
  ).body as { id: string; description: string; user: { email: string } }[];
  expect(newest).toMatchObject({
    description: 'Promote shop-staging v3 0b0e75c1',
    user: { email: 'ann@example.com' },
  });
  expect((await api.call('GET', `${path}/promotion-targets`)).body).toMatchObject([
    { status: 'succeeded', release: { id: newest?.id } },
  ]);
  expect((await api.call('GET', path)).body).toMatchObject({ status: 'completed' });
});

test('a repeated request promotes once', async () => {
  await using api = await startApi();
  const id = await pipelined(api);
  const body = {
    pipeline: { id },
    source: await ref(api, 'shop-staging'),
    targets: [await ref(api, 'shop')],
  };
  const headers = { 'request-id': 'request-12345678' };
  const first = await api.call('POST', '/pipeline-promotions', body, headers);
  const second = await api.call('POST', '/pipeline-promotions', body, headers);
  expect(at(second.body, 'id')).toBe(at(first.body, 'id'));
  expect(api.host.view().promotions.size).toBe(1);
});

test('what cannot be promoted says why', async () => {
  await using api = await startApi();
  const id = await pipelined(api);
  const [staging, shop] = [await ref(api, 'shop-staging'), await ref(api, 'shop')];
  const empty = await api.call('POST', '/pipeline-promotions', {
    pipeline: { id },
    source: shop,
    targets: [staging],
  });
  expect(empty).toMatchObject({
    status: 422,
    body: { message: 'Cannot promote "shop": it has no code yet' },
  });
  const self = await api.call('POST', '/pipeline-promotions', {
    pipeline: { id },
    source: staging,
    targets: [staging],
  });
  expect(self.status).toBe(422);
});

test('a pipeline is given to a user by id or e-mail address, and to nobody who is unknown', async () => {
  await using api = await startApi();
  const id = await pipelined(api);
  const account = at((await api.call('GET', '/account')).body, 'id');
  const transfer = (to: string) =>
    api.call('POST', '/pipeline-transfers', { pipeline: { id }, new_owner: { id: to, type: 'user' } });
  expect(await transfer(account)).toMatchObject({ status: 201, body: { new_owner: { id: account } } });
  expect(await transfer('nobody@example.com')).toMatchObject({ status: 404, body: { resource: 'user' } });
});

test('config vars of a stage are sealed in the ledger and told to the owner', async () => {
  await using api = await startApi();
  const id = await pipelined(api);
  const path = `/pipelines/${id}/stage/review/config-vars`;
  expect((await api.call('PATCH', path, { API: 'sandbox', OLD: 'x' })).body).toEqual({
    API: 'sandbox',
    OLD: 'x',
  });
  expect((await api.call('PATCH', path, { OLD: null })).body).toEqual({ API: 'sandbox' });
  expect((await api.call('GET', `/pipelines/${id}/stage/nowhere/config-vars`)).status).toBe(404);
  const [value] = [...(api.host.view().pipelines.values().next().value?.config.values() ?? [])];
  expect(Buffer.from(value ?? []).toString()).toBe('sealed sandbox');
});

test('who only sees a pipeline adds no app to it, makes no review app in it and gets no code out of it', async () => {
  await using api = await startApi();
  const id = await pipelined(api);
  await api.call('POST', `/pipelines/${id}/review-app-config`, {});
  const source = await ref(api, 'shop-staging');
  const eve = as(api, tokenFor(api, 'eve@example.com', { role: 'member' }));
  const own = { app: { id: at((await eve('POST', '/apps', { name: 'eves' })).body, 'id') } };
  const couple = { app: 'eves', pipeline: id, stage: 'production' };
  const review = { branch: 'red', pipeline: id, source_blob: { url: 'http://127.0.0.1:9/', version: null } };
  expect((await eve('GET', `/pipelines/${id}`)).status).toBe(200);
  expect(await eve('POST', '/pipeline-couplings', couple)).toMatchObject({ status: 403 });
  expect(await eve('POST', '/review-apps', review)).toMatchObject({ status: 403 });
  await api.call('POST', '/pipeline-couplings', couple);
  const promotion = { pipeline: { id }, source, targets: [own] };
  expect(await eve('POST', '/pipeline-promotions', promotion)).toMatchObject({ status: 403 });
  letIn(api, source.app.id as AppId, 'eve@example.com', ['deploy']);
  expect(await eve('POST', '/pipeline-promotions', promotion)).toMatchObject({ status: 201 });
  expect(await eve('POST', '/pipeline-couplings', couple)).toMatchObject({ status: 201 });
});
