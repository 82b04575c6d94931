import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { as, tokenFor } from './callers.ts';
import { at, startApi } from './harness.ts';
import type { Harness } from './harness.ts';

async function sourceUrl(api: Harness): Promise<string> {
  const { body } = await api.call('POST', '/sources');
  await fetch(at(body, 'source_blob', 'put_url'), { method: 'PUT', body: 'a tar ball' });
  return at(body, 'source_blob', 'get_url');
}

/** Review apps are on for the pipeline `shop`. @returns its id */
async function reviewed(api: Harness): Promise<string> {
  const { body } = await api.call('POST', '/pipelines', { name: 'shop' });
  const id = at(body, 'id');
  await api.call('POST', `/pipelines/${id}/review-app-config`, { destroy_stale_apps: true });
  return id;
}

test('an app setup makes its app at once, is pending, and holds its archive', async () => {
  await using api = await startApi();
  const made = await api.call('POST', '/app-setups', {
    source_blob: { url: await sourceUrl(api) },
    app: { name: 'guestbook' },
    overrides: { env: { ADMIN: 'ada' }, buildpacks: ['heroku/nodejs', { url: 'procfile' }] },
  });
  expect(made).toMatchObject({
    status: 202,
    body: {
      status: 'pending',
      app: { name: 'guestbook' },
      build: { status: 'pending' },
      failure_message: null,
      manifest_errors: [],
      postdeploy: null,
    },
  });
  expect((await api.call('GET', '/apps/guestbook')).status).toBe(200);
  const [app] = [...api.host.view().apps.values()];
  expect(app?.setup).toMatchObject({ buildpacks: ['heroku/nodejs', 'procfile'], settled: null });
  expect(api.blobs.has(app?.setup?.source ?? ('' as never))).toBe(true);
  expect(Buffer.from(app?.setup?.env['ADMIN'] ?? []).toString()).toBe('sealed ada');
});

test('a setup that is refused leaves no archive behind', async () => {
  await using api = await startApi();
  await api.call('POST', '/apps', { name: 'blog' });
  const archive = createServer((_request, response) => response.end('from elsewhere')).listen(0, '127.0.0.1');
  await once(archive, 'listening');
  const url = `http://127.0.0.1:${(archive.address() as AddressInfo).port}/`;
  const setUp = (name: string) => api.call('POST', '/app-setups', { source_blob: { url }, app: { name } });
  expect((await setUp('blog')).status).toBe(422);
  expect(api.blobs.list()).toEqual([]);
  expect((await setUp('shop')).status).toBe(202);
  expect(api.blobs.list()).toHaveLength(1);
  archive.close();
});

test('a setup that failed is told though its app is gone', async () => {
  await using api = await startApi();
  const made = await api.call('POST', '/app-setups', { source_blob: { url: await sourceUrl(api) } });
  const [app] = [...api.host.view().apps.values()];
  const setup = app?.setup?.setup;
  if (app === undefined || setup === undefined) throw new Error('No setup');
  api.host.write(
    {
      type: 'setup.settle',
      app: app.id,
      settled: {
        setup,
        status: 'failed',
        reason: 'invalid app.json',
        manifestErrors: ['a', 'b'],
        postdeploy: null,
      },
    },
    { user: 'kith', request: null },
  );
  expect((await api.call('GET', `/app-setups/${at(made.body, 'id')}`)).body).toMatchObject({
    status: 'failed',
    failure_message: 'invalid app.json',
    manifest_errors: ['a', 'b'],
    build: null,
  });
  expect((await api.call('GET', `/apps/${app.id}`)).status).toBe(404);
});

test('a source that is not what its checksum says, or that nobody has, makes no app', async () => {
  await using api = await startApi();
  const url = await sourceUrl(api);
  const checksum = `SHA256:${'0'.repeat(64)}`;
  const wrong = await api.call('POST', '/app-setups', { source_blob: { url, checksum } });
  expect(wrong.status).toBe(422);
  expect(at(wrong.body, 'message')).toContain('its checksum is');
  const none = await api.call('POST', '/app-setups', { source_blob: { url: 'ftp://example.com/x' } });
  expect(none.status).toBe(422);
  expect(api.host.view().apps.size).toBe(0);
});

test('a review app is an app setup at the stage review, named after its branch or pull request', async () => {
  await using api = await startApi();
  const pipeline = await reviewed(api);
  const create = async (fields: object) =>
    api.call('POST', '/review-apps', {
      branch: 'Fix/Login',
      pipeline,
      source_blob: { url: await sourceUrl(api), version: 'abc' },
      ...fields,
    });
  const first = await create({});
  expect(first).toMatchObject({
    status: 201,
    body: {
      status: 'creating',
      branch: 'Fix/Login',
      pipeline: { id: pipeline },
      app: { name: 'shop-fix-login' },
    },
  });
  expect((await create({ pr_number: 12 })).body).toMatchObject({
    app: { name: 'shop-pr-12' },
    pr_number: 12,
  });
  // The name is taken: this one gets another.
  expect(at((await create({})).body, 'app', 'name')).toMatch(/^shop-fix-login-[0-9a-f]{4}$/);
  expect((await api.call('GET', '/apps/shop-pr-12/pipeline-couplings')).body).toMatchObject({
    stage: 'review',
  });
  expect((await api.call('GET', '/apps/shop-pr-12/review-app')).body).toMatchObject({ branch: 'Fix/Login' });
  expect((await api.call('GET', `/pipelines/${pipeline}/review-apps`)).body).toHaveLength(3);
  const id = at(first.body, 'id');
  expect((await api.call('DELETE', `/review-apps/${id}`)).body).toMatchObject({
    status: 'deleted',
    app: null,
  });
  expect((await api.call('GET', `/pipelines/${pipeline}/review-apps`)).body).toHaveLength(2);
});

test('what needs GitHub is refused with a sentence that says so', async () => {
  await using api = await startApi();
  const pipeline = await reviewed(api);
  const resolve = { branch: 'red', pipeline, source_blob: { url: 'resolve', version: null } };
  const made = await api.call('POST', '/review-apps', resolve);
  expect(made.status).toBe(422);
  expect(at(made.body, 'message')).toContain('connected to no GitHub');
  const config = `/pipelines/${pipeline}/review-app-config`;
  expect((await api.call('PATCH', config, { automatic_review_apps: true })).status).toBe(422);
});

test('review apps are off until they are switched on, and their settings are kept', async () => {
  await using api = await startApi();
  const id = at((await api.call('POST', '/pipelines', { name: 'shop' })).body, 'id');
  const config = `/pipelines/${id}/review-app-config`;
  expect((await api.call('GET', config)).status).toBe(404);
  expect((await api.call('POST', config, { base_name: 'look', repo: 'kith/shop' })).status).toBe(201);
  await api.call('PATCH', config, { destroy_stale_apps: true, stale_days: 3 });
  expect((await api.call('GET', config)).body).toMatchObject({
    base_name: 'look',
    destroy_stale_apps: true,
    stale_days: 3,
  });
  expect((await api.call('DELETE', config)).status).toBe(200);
  expect((await api.call('GET', config)).status).toBe(404);
});

test('a slug is announced, sent, shown, and released', async () => {
  await using api = await startApi();
  await api.call('POST', '/apps', { name: 'blog' });
  const made = await api.call('POST', '/apps/blog/slugs', {
    process_types: { web: 'node .' },
    commit: '0b0e75c1',
    stack: 'heroku-24',
  });
  expect(made).toMatchObject({ status: 201, body: { blob: { method: 'put' }, size: null } });
  const id = at(made.body, 'id');
  expect((await api.call('POST', '/apps/blog/releases', { slug: id })).status).toBe(404);
  // The URL that it is to be sent to is for those who may send it.
  const viewer = as(api, tokenFor(api, 'eve@example.com', { role: 'viewer' }));
  expect((await viewer('GET', `/apps/blog/slugs/${id}`)).status).toBe(404);
  expect((await api.call('GET', `/apps/blog/slugs/${id}`)).body).toMatchObject({ blob: { method: 'put' } });
  const sent = await fetch(at(made.body, 'blob', 'url'), { method: 'PUT', body: 'a tar ball' });
  expect(sent.status).toBe(200);
  expect((await api.call('GET', `/apps/blog/slugs/${id}`)).body).toMatchObject({
    id,
    blob: { method: 'get' },
    size: 10,
    process_types: { web: 'node .' },
  });
  const release = await api.call('POST', '/apps/blog/releases', { slug: id, description: 'By hand' });
  expect(release.body).toMatchObject({ version: 3, description: 'By hand', slug: { id } });
});

test('a slug that arrives damaged is refused, and leaves nothing', async () => {
  await using api = await startApi();
  await api.call('POST', '/apps', { name: 'blog' });
  const made = await api.call('POST', '/apps/blog/slugs', {
    process_types: { web: 'node .' },
    checksum: `SHA256:${'0'.repeat(64)}`,
  });
  const sent = await fetch(at(made.body, 'blob', 'url'), { method: 'PUT', body: 'a tar ball' });
  expect(sent.status).toBe(422);
  expect([...api.host.view().apps.values()][0]?.uploads.size).toBe(0);
  const bad = await api.call('POST', '/apps/blog/slugs', { process_types: {}, checksum: 'md5:1' });
  expect(bad.status).toBe(422);
});

test('a build is told which buildpacks to use, and is cancelled', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const url = await sourceUrl(api);
  const made = await api.call('POST', '/apps/blog/builds', {
    source_blob: { url },
    buildpacks: [{ url: 'procfile' }],
  });
  const id = at(made.body, 'id');
  expect((await api.call('DELETE', `/apps/blog/builds/${id}`)).body).toMatchObject({ status: 'failed' });
  expect(api.builds.stopped).toEqual([id]);
});
