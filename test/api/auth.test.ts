import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { at, callSocket, startApi } from './harness.ts';

const REFUSED = { id: 'unauthorized', message: 'Invalid credentials provided.' };

test('a token opens the API as Bearer and as the password of any user', async () => {
  await using api = await startApi();
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
  const good = [
    `Bearer ${api.token}`,
    `bearer ${api.token}`,
    basic(`:${api.token}`),
    basic(`x:${api.token}`),
  ];
  for (const authorization of good) {
    const { status, body } = await api.call('GET', '/account', undefined, { authorization });
    expect([status, at(body, 'email')]).toEqual([200, 'ann@example.com']);
  }
});

test('anything else is refused in the words that clients know', async () => {
  await using api = await startApi();
  const bad = [
    '',
    'Bearer undefined',
    'Bearer',
    'Basic !',
    `Basic ${Buffer.from('x').toString('base64')}`,
    'Token x',
  ];
  for (const authorization of bad) {
    const { status, body } = await api.call('GET', '/account', undefined, { authorization });
    expect(status).toBe(401);
    expect(body).toMatchObject(REFUSED);
  }
});

test('what exists is not told to strangers: an unknown path is a 401 too', async () => {
  await using api = await startApi();
  expect((await api.call('GET', '/nothing', undefined, { authorization: '' })).status).toBe(401);
  const { status, body } = await api.call('GET', '/nothing');
  expect([status, at(body, 'id')]).toEqual([404, 'not_found']);
});

test('health needs no token', async () => {
  await using api = await startApi();
  const { status, body } = await api.call('GET', '/health', undefined, { authorization: '' });
  expect([status, body]).toEqual([200, { ok: true }]);
});

test('the local socket needs no token, and only its owner may open it', async () => {
  await using api = await startApi();
  const { status, body } = await callSocket(api.socketPath, 'GET', '/account');
  expect(status).toBe(200);
  expect(at(body, 'email')).toMatch(/^local@/);
  expect((await stat(api.socketPath)).mode & 0o777).toBe(0o600);
});

test('a token is shown once, works, is listed without itself, and is refused when revoked', async () => {
  await using api = await startApi();
  const made = await api.call('POST', '/kith/tokens', { user: 'bob@example.com', description: 'laptop' });
  expect(made.status).toBe(201);
  expect(at(made.body, 'token')).toMatch(/^kith-[A-Za-z0-9_-]{43}$/);
  const authorization = `Bearer ${at(made.body, 'token')}`;
  expect(at((await api.call('GET', '/account', undefined, { authorization })).body, 'email')).toBe(
    'bob@example.com',
  );

  const listed = await api.call('GET', '/kith/tokens');
  expect(JSON.stringify(listed.body)).toContain('laptop');
  expect(JSON.stringify(listed.body)).not.toContain(at(made.body, 'token'));

  const revoked = await api.call('DELETE', `/kith/tokens/${at(made.body, 'id')}`);
  expect(revoked.status).toBe(200);
  expect((await api.call('GET', '/account', undefined, { authorization })).status).toBe(401);
  expect((await api.call('DELETE', `/kith/tokens/${at(made.body, 'id')}`)).status).toBe(404);
});

test('a repeated request for a token gives the same one', async () => {
  await using api = await startApi();
  const headers = { 'request-id': randomUUID() };
  const first = await api.call('POST', '/kith/tokens', { user: 'bob' }, headers);
  const second = await api.call('POST', '/kith/tokens', { user: 'bob' }, headers);
  expect(second.body).toEqual(first.body);
});

test('git is challenged without credentials, and told who asks with them', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const path = '/blog.git/info/refs?service=git-receive-pack';
  const stranger = await fetch(api.url + path);
  expect(stranger.status).toBe(401);
  expect(stranger.headers.get('www-authenticate')).toMatch(/^Basic realm=/);

  const authorization = `Basic ${Buffer.from(`heroku:${api.token}`).toString('base64')}`;
  const friend = await api.call('GET', path, undefined, { authorization });
  expect(friend.body).toBe('git GET of blog for ann@example.com');
  const missing = await api.call('GET', '/nope.git/info/refs', undefined, { authorization });
  expect(missing.status).toBe(404);
  expect(missing.body).toContain(`Couldn't find the app "nope".`);
});
