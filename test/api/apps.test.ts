import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { at, startApi } from './harness.ts';

test('an app is created, shown by name and id, renamed, put under maintenance and destroyed', async () => {
  await using api = await startApi();
  const made = await api.call('POST', '/apps', { name: 'blog', region: 'eu', stack: 'heroku-24' });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    name: 'blog',
    web_url: 'http://blog.localhost:8080/',
    git_url: `${api.url}/blog.git`,
    owner: { email: 'ann@example.com' },
    slug_size: null,
    maintenance: false,
  });
  const id = at(made.body, 'id');
  expect((await api.call('GET', `/apps/${id}`)).body).toEqual((await api.call('GET', '/apps/blog')).body);

  const renamed = await api.call('PATCH', '/apps/blog', { name: 'diary', maintenance: true });
  expect(renamed.body).toMatchObject({ id, name: 'diary', maintenance: true });
  expect((await api.call('GET', '/apps/blog')).status).toBe(404);

  expect((await api.call('DELETE', '/apps/diary')).body).toMatchObject({ id });
  const gone = await api.call('GET', `/apps/${id}`);
  expect(gone.status).toBe(404);
  expect(gone.body).toMatchObject({ id: 'not_found', resource: 'app', hint: expect.any(String) });
});

test('an app without a name gets one', async () => {
  await using api = await startApi();
  const { body } = await api.call('POST', '/apps');
  expect(at(body, 'name')).toMatch(/^[a-z]+-[a-z]+-\d{5}$/);
});

test('a name is given once, in the words that clients know', async () => {
  await using api = await startApi();
  await api.call('POST', '/apps', { name: 'blog' });
  const { status, body } = await api.call('POST', '/apps', { name: 'blog' });
  expect(status).toBe(422);
  expect(at(body, 'message')).toMatch(/already taken/);
});

test('a repeated request makes one app, at this server and where only the ledger remembers it', async () => {
  await using api = await startApi();
  const headers = { 'request-id': `${randomUUID()},${randomUUID()}` };
  const first = await api.call('POST', '/apps', {}, headers);
  const second = await api.call('POST', '/apps', {}, headers);
  expect(second.body).toEqual(first.body);
  expect(first.headers.get('request-id')).toBe(headers['request-id'].split(',')[0]);
  // A retry may land at another server of the cluster, which has the ledger only.
  await using other = await startApi({ host: api.host });
  const third = await other.call('POST', '/apps', {}, { ...headers, authorization: `Bearer ${api.token}` });
  expect(at(third.body, 'id')).toBe(at(first.body, 'id'));
  expect((await api.call('GET', '/users/~/apps')).body).toHaveLength(1);
});

test('lists are cut and sorted as the Range header asks', async () => {
  await using api = await startApi();
  for (const name of ['app-a', 'app-b', 'app-c']) await api.call('POST', '/apps', { name });
  const page = await api.call('GET', '/apps', undefined, { range: 'name ..; order=desc,max=2' });
  expect(page.status).toBe(206);
  expect([at(page.body, 0, 'name'), at(page.body, 1, 'name')]).toEqual(['app-c', 'app-b']);
  expect(page.headers.get('content-range')).toBe('name app-c..app-b');
  const rest = await api.call('GET', '/apps', undefined, { range: page.headers.get('next-range') ?? '' });
  expect([rest.status, at(rest.body, 0, 'name')]).toEqual([200, 'app-a']);
  expect((await api.call('GET', '/apps', undefined, { range: 'nonsense' })).status).toBe(416);
});

test('what Heroku has and this cluster has not is an empty list', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  for (const path of ['/apps/blog/addons', '/addons', '/apps/blog/sni-endpoints']) {
    expect((await api.call('GET', path)).body).toEqual([]);
  }
  expect(at((await api.call('GET', '/apps/blog/collaborators')).body, 0, 'user', 'email')).toBe(
    'ann@example.com',
  );
  expect(at((await api.call('GET', '/dyno-sizes')).body, 1, 'name')).toBe('Basic');
  expect(at((await api.call('GET', '/stacks')).body, 0, 'name')).toBe('heroku-24');
  expect((await api.call('GET', '/regions')).body).toHaveLength(1);
  expect((await api.call('GET', '/account/rate-limits')).body).toEqual({ remaining: 4_500 });
});

test('domains are added under the app, shown with their cname and removed', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const added = await api.call('POST', '/apps/blog/domains', {
    hostname: 'WWW.Example.com',
    sni_endpoint: null,
  });
  expect(added.status).toBe(201);
  expect(added.body).toMatchObject({ hostname: 'www.example.com', kind: 'custom', cname: 'blog.localhost' });
  const range = { range: 'id ..; max=1000;' };
  expect((await api.call('GET', '/apps/blog/domains', undefined, range)).body).toHaveLength(2);
  expect((await api.call('GET', `/apps/blog/domains/${at(added.body, 'id')}`)).body).toEqual(added.body);
  expect((await api.call('DELETE', '/apps/blog/domains/blog.localhost')).status).toBe(422);
  expect((await api.call('DELETE', '/apps/blog/domains/www.example.com')).status).toBe(200);
  expect((await api.call('GET', '/apps/blog/domains/www.example.com')).status).toBe(404);
});

test('buildpacks are replaced as a whole, in order', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const updates = [{ buildpack: 'heroku/nodejs' }, { buildpack: 'https://example.com/b.git#v1' }];
  const put = await api.call('PUT', '/apps/blog/buildpack-installations', { updates }, { range: '' });
  expect(put.body).toMatchObject([
    { ordinal: 0, buildpack: { url: 'heroku/nodejs' } },
    { ordinal: 1, buildpack: { url: 'https://example.com/b.git#v1' } },
  ]);
  expect((await api.call('GET', '/apps/blog/buildpack-installations')).body).toEqual(put.body);
});
