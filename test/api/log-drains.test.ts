import { expect, test } from 'vitest';
import { as, letIn, tokenFor } from './callers.ts';
import { at, startApi } from './harness.ts';

const SECRET = 'https://ann:hunter2@logs.example.com/in?key=abc';

test('a drain is added, listed, found by id, token and URL, changed and removed', async () => {
  await using api = await startApi();
  await api.deployedApp();
  const added = await api.call('POST', '/apps/blog/log-drains', { url: 'syslog://logs.example.com:514' });
  expect(added.status).toBe(201);
  expect(added.body).toMatchObject({
    url: 'syslog://logs.example.com:514',
    token: expect.stringMatching(/^d\.[0-9a-f-]{36}$/),
    addon: null,
    app: { name: 'blog' },
  });
  const [id, token] = [at(added.body, 'id'), at(added.body, 'token')];
  expect((await api.call('GET', '/apps/blog/log-drains')).body).toEqual([added.body]);
  expect((await api.call('GET', '/apps/blog/log-drains?extended=true')).body).toEqual([
    { ...(added.body as object), extended: { drain_id: id } },
  ]);
  for (const name of [id, token, 'syslog://logs.example.com:514']) {
    const found = await api.call('GET', `/apps/blog/log-drains/${encodeURIComponent(name)}`);
    expect(found.body).toEqual(added.body);
  }
  const changed = await api.call('PUT', `/apps/blog/log-drains/${token}`, { url: 'http://10.0.0.7/in' });
  expect(changed.body).toMatchObject({ id, token, url: 'http://10.0.0.7/in' });
  const removed = await api.call(
    'DELETE',
    `/apps/blog/log-drains/${encodeURIComponent('http://10.0.0.7/in')}`,
  );
  expect(removed).toMatchObject({ status: 200, body: { id } });
  expect((await api.call('GET', '/apps/blog/log-drains')).body).toEqual([]);
  const gone = await api.call('GET', `/apps/blog/log-drains/${id}`);
  expect(gone).toMatchObject({ status: 404, body: { id: 'not_found', resource: 'log_drain' } });
});

test('a request that is repeated adds one drain', async () => {
  await using api = await startApi();
  await api.deployedApp();
  const ask = () =>
    api.call('POST', '/apps/blog/log-drains', { url: SECRET }, { 'request-id': 'the-same-request' });
  const [first, again] = [await ask(), await ask()];
  expect(again).toMatchObject({ status: 201, body: first.body });
});

test('one URL twice, a sixth drain and what is no URL of a drain are refused with 422', async () => {
  await using api = await startApi();
  await api.deployedApp();
  const add = (url: unknown) => api.call('POST', '/apps/blog/log-drains', { url });
  for (let n = 1; n <= 5; n += 1) expect((await add(`syslog://logs${n}.example.com`)).status).toBe(201);
  expect(await add('syslog://logs1.example.com')).toMatchObject({
    status: 422,
    body: { id: 'invalid_params', message: 'Url has already been taken.' },
  });
  expect(at((await add('syslog://logs6.example.com')).body, 'message')).toBe(
    'You have reached the limit of 5 drains per app.',
  );
  for (const url of ['logs.example.com', 'ftp://h', 'https://ann:hunter2@h/#x', '', 7, null]) {
    const refused = await add(url);
    expect(refused.status).toBe(422);
    expect(at(refused.body, 'message')).toContain('Invalid parameter "url"');
    expect(at(refused.body, 'message')).not.toContain('hunter2');
  }
});

test('who may not see config vars sees a URL without its secrets', async () => {
  await using api = await startApi();
  const app = await api.deployedApp();
  const { body } = await api.call('POST', '/apps/blog/log-drains', { url: SECRET });
  letIn(api, app, 'viv@example.com', ['view']);
  letIn(api, app, 'dan@example.com', ['view', 'deploy']);
  const seenBy = async (token: string): Promise<string> =>
    at((await as(api, token)('GET', `/apps/blog/log-drains/${at(body, 'id')}`)).body, 'url');
  expect(await seenBy(tokenFor(api, 'dan@example.com'))).toBe(SECRET);
  const hidden = 'https://xxxxx:xxxxx@logs.example.com/xxxxx?xxxxx';
  expect(await seenBy(tokenFor(api, 'viv@example.com'))).toBe(hidden);
  expect(await seenBy(tokenFor(api, 'dan@example.com', { scopes: ['read'] }))).toBe(hidden);
  expect(JSON.stringify(api.logged)).not.toContain('hunter2');
});
