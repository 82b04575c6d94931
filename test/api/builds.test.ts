import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { as, tokenFor } from './callers.ts';
import { at, startApi } from './harness.ts';

async function putSource(api: Awaited<ReturnType<typeof startApi>>, content: string): Promise<string> {
  const { status, body } = await api.call('POST', '/sources');
  expect(status).toBe(201);
  const put = await fetch(at(body, 'source_blob', 'put_url'), { method: 'PUT', body: content });
  expect(put.status).toBe(200);
  return at(body, 'source_blob', 'get_url');
}

test('a source is put without a token, built, and its release named by the build', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const url = await putSource(api, 'a tar ball');
  expect(await (await fetch(url)).text()).toBe('a tar ball');
  const made = await api.call('POST', '/apps/blog/builds', { source_blob: { url, version: 'cafe1234' } });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ status: 'pending', release: null, source_blob: { version: 'cafe1234' } });
  const path = `/apps/blog/builds/${at(made.body, 'id')}`;
  expect((await api.call('GET', path)).body).toMatchObject({ status: 'pending' });

  api.builds.finish();
  const done = await eventually(async () => {
    const { body } = await api.call('GET', path);
    return at(body, 'status') === 'succeeded' ? body : null;
  });
  expect(api.builds.sources).toEqual(['a tar ball']);
  const { body: release } = await api.call('GET', `/apps/blog/releases/${at(done, 'release', 'id')}`);
  expect(release).toMatchObject({ version: 4, description: 'Deploy cafe1234', current: true });

  const output = at(done, 'output_stream_url');
  expect(await (await fetch(output)).text()).toBe('-----> Building\n');
  expect((await fetch(output.replace(/[^/]+$/, 'guessed'))).status).toBe(404);
  expect((await api.call('GET', '/apps/blog/builds')).body).toMatchObject([{ id: at(made.body, 'id') }]);
});

test('a build that fails before the ledger hears of it says so', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const url = await putSource(api, 'fail');
  const { body } = await api.call('POST', '/apps/blog/builds', { source_blob: { url } });
  const path = `/apps/blog/builds/${at(body, 'id')}`;
  await eventually(async () => at((await api.call('GET', path)).body, 'status') === 'failed');
  const output = await fetch(at(body, 'output_stream_url'));
  expect(await output.text()).toBe(' !     Cannot build: no space is left\n');
});

test('a source is fetched from anywhere that answers', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  await using elsewhere = createServer((request, response) => {
    response.statusCode = request.url === '/there.tgz' ? 200 : 404;
    response.end('from elsewhere');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  const build = (url: string) => api.call('POST', '/apps/blog/builds', { source_blob: { url } });
  expect((await build(`${base}/there.tgz`)).status).toBe(201);
  await eventually(() => api.builds.sources.includes('from elsewhere'));
  expect((await build(`${base}/not-there.tgz`)).body).toMatchObject({ id: 'invalid_params' });
  expect((await build('http://127.0.0.1:1/refused.tgz')).status).toBe(422);
  expect((await build('file:///etc/passwd')).status).toBe(422);
});

test('one user does not take all the places for sources', async () => {
  await using api = await startApi();
  const bob = as(api, tokenFor(api, 'bob@example.com', { role: 'collaborator' }));
  const asked = await Promise.all(Array.from({ length: 101 }, () => bob('POST', '/sources')));
  expect(asked.filter(({ status }) => status === 201)).toHaveLength(100);
  expect(asked.find(({ status }) => status !== 201)).toMatchObject({
    status: 429,
    body: { id: 'rate_limit' },
  });
  expect((await api.call('POST', '/sources')).status).toBe(201);
});

test('of two archives that are put under one URL the later stays', async () => {
  await using api = await startApi();
  const { body } = await api.call('POST', '/sources');
  const url = at(body, 'source_blob', 'put_url');
  for (const archive of ['first', 'second', 'second'])
    expect((await fetch(url, { method: 'PUT', body: archive })).status).toBe(200);
  expect(await (await fetch(url)).text()).toBe('second');
});

test('sources that are unknown or empty are not found', async () => {
  await using api = await startApi();
  expect((await fetch(`${api.url}/sources/unknown`, { method: 'PUT', body: 'x' })).status).toBe(404);
  const { body } = await api.call('POST', '/sources');
  expect((await fetch(at(body, 'source_blob', 'get_url'))).status).toBe(404);
});

test('the build cache of an app is purged', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  expect((await api.call('DELETE', '/apps/blog/build-cache')).status).toBe(200);
  expect(api.builds.purged).toEqual([app]);
  expect((await api.call('GET', '/apps/blog/builds/none')).body).toMatchObject({ resource: 'build' });
});
