import { expect, test } from 'vitest';
import { as, tokenFor } from './callers.ts';
import { at, startApi } from './harness.ts';
import type { Harness } from './harness.ts';

const PATH = '/oauth/authorizations';
const HOUR_MS = 3_600_000;

/** The ids of the tokens that whoever asks has. */
async function idsOf(ask: ReturnType<typeof as>): Promise<readonly string[]> {
  const { body } = await ask('GET', PATH);
  return (body as readonly object[]).map((each) => at(each, 'id'));
}

function basic(api: Harness, pair: string, body: unknown) {
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  return api.call('POST', PATH, body, { authorization });
}

test('an authorization is made, shown once, works, is described, rotated and revoked', async () => {
  await using api = await startApi();
  const made = await api.call('POST', PATH, { description: 'CI' });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    description: 'CI',
    scope: ['global'],
    access_token: { expires_in: null },
    client: null,
    user: { email: 'ann@example.com' },
  });
  const id = at(made.body, 'id');
  const token = at(made.body, 'access_token', 'token');
  expect((await as(api, token)('GET', '/account')).status).toBe(200);
  const shown = await api.call('GET', `${PATH}/${id}`);
  expect(shown.body).toMatchObject({ id, description: 'CI' });
  expect(shown.body).not.toHaveProperty('access_token');

  const updated = await api.call('PATCH', `${PATH}/${id}`, { description: 'CI of blog' });
  expect(at(updated.body, 'description')).toBe('CI of blog');
  const rotated = await api.call('POST', `${PATH}/${id}/actions/regenerate-tokens`);
  expect([rotated.status, at(rotated.body, 'id')]).toEqual([200, id]);
  const fresh = at(rotated.body, 'access_token', 'token');
  expect((await as(api, token)('GET', '/account')).status).toBe(401);
  expect((await as(api, fresh)('GET', '/account')).status).toBe(200);

  expect(at((await api.call('DELETE', `${PATH}/${id}`)).body, 'description')).toBe('CI of blog');
  expect((await as(api, fresh)('GET', '/account')).status).toBe(401);
  expect((await api.call('GET', `${PATH}/${id}`)).body).toMatchObject({
    id: 'not_found',
    resource: 'authorization',
  });
});

test('each user sees and touches their own alone', async () => {
  await using api = await startApi();
  const bob = as(api, tokenFor(api, 'bob@example.com', { role: 'member' }));
  const [own = ''] = await idsOf(bob);
  const [other = ''] = await idsOf(as(api, api.token));
  expect(await idsOf(bob)).toEqual([own]);
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    expect((await bob(method, `${PATH}/${other}`, method === 'PATCH' ? {} : undefined)).status).toBe(404);
  }
  expect((await bob('POST', `${PATH}/${other}/actions/regenerate-tokens`)).status).toBe(404);
  expect((await bob('DELETE', `${PATH}/${own}`)).status).toBe(200);
  expect((await bob('GET', '/account')).status).toBe(401);
});

test('a login sends a token for a password and gets another, which a logout finds and ends', async () => {
  await using api = await startApi();
  const body = { description: 'Heroku CLI login from attic', expires_in: 2_592_000, scope: ['global'] };
  expect((await basic(api, 'ann@example.com:wrong', body)).status).toBe(401);
  const made = await basic(api, `ann@example.com:${api.token}`, body);
  expect([made.status, at(made.body, 'user', 'email')]).toEqual([201, 'ann@example.com']);
  expect(Number(at(made.body, 'access_token', 'expires_in'))).toBeGreaterThan(2_591_000);
  const login = as(api, at(made.body, 'access_token', 'token'));

  // What the official CLI does at a logout: the token that it holds is revoked unless that is `~`.
  expect((await login('DELETE', '/oauth/sessions/~')).body).toMatchObject({
    id: 'not_found',
    resource: 'session',
  });
  expect((await login('GET', `${PATH}/~`)).body).toMatchObject({
    id: 'not_found',
    resource: 'authorization',
  });
  const listed = await login('GET', PATH);
  const own = (listed.body as readonly object[]).filter((each) => 'access_token' in each);
  expect(own).toHaveLength(1);
  expect(at(own, 0, 'access_token', 'token')).toBe(at(made.body, 'access_token', 'token'));
  await login('DELETE', `${PATH}/${at(own, 0, 'id')}`);
  expect((await login('GET', '/account')).status).toBe(401);

  const lasting = await api.call('GET', `${PATH}/~`);
  expect(at(lasting.body, 'access_token', 'token')).toBe(api.token);
});

test('a token is never good for more, or for longer, than the one that it was asked for with', async () => {
  await using api = await startApi();
  const ends = Date.now() + HOUR_MS;
  const short = as(api, tokenFor(api, 'ann@example.com', { expiresAt: ends }));
  for (const body of [{}, { expires_in: '86400' }]) {
    const { body: made } = await short('POST', PATH, body);
    expect(at(made, 'expires_at')).toBe(new Date(ends).toISOString());
  }
  const { body: earlier } = await short('POST', PATH, { expires_in: 60 });
  expect(Number(at(earlier, 'access_token', 'expires_in'))).toBeLessThanOrEqual(60);
  const { body: lasting } = await api.call('POST', PATH, {});
  const rotated = await short('POST', `${PATH}/${at(lasting, 'id')}/actions/regenerate-tokens`);
  expect(at(rotated.body, 'expires_at')).toBe(new Date(ends).toISOString());
  const weak = as(api, tokenFor(api, 'ann@example.com', { scopes: ['write-protected'] }));
  expect((await weak('POST', PATH, { scope: ['global'] })).status).toBe(403);
  for (const body of [{ expires_in: 0 }, { expires_in: 'soon' }, { scope: ['all'] }, { scope: [] }]) {
    expect((await api.call('POST', PATH, body)).body).toMatchObject({ id: 'invalid_params' });
  }
});

test('a user has so many tokens and no more, of which those that ended do not count', async () => {
  await using api = await startApi();
  const bob = as(api, tokenFor(api, 'bob@example.com', { role: 'collaborator' }));
  for (let i = 0; i < 10; i += 1) tokenFor(api, 'bob@example.com', { expiresAt: Date.now() - HOUR_MS });
  for (let i = 0; i < 198; i += 1) tokenFor(api, 'bob@example.com');
  const last = await bob('POST', PATH, {});
  expect(last.status).toBe(201);
  expect(await bob('POST', PATH, {})).toMatchObject({ status: 422, body: { id: 'invalid_params' } });
  await bob('DELETE', `${PATH}/${at(last.body, 'id')}`);
  expect((await bob('POST', PATH, {})).status).toBe(201);
});

test('a token whose time is over is refused, with a minute for clocks that differ', async () => {
  await using api = await startApi();
  const [over, hardly] = [120_000, 10_000].map((ago) =>
    tokenFor(api, 'ann@example.com', { expiresAt: Date.now() - ago }),
  );
  const refused = await as(api, over ?? '')('GET', '/account');
  expect([refused.status, at(refused.body, 'id')]).toEqual([401, 'unauthorized']);
  expect((await as(api, hardly ?? '')('GET', '/account')).status).toBe(200);
});

test('a user without a role becomes a member by a token, or what the token is made with', async () => {
  await using api = await startApi();
  const make = async (body: object) => {
    const made = await api.call('POST', '/kith/tokens', body);
    return as(api, at(made.body, 'token'));
  };
  const bob = await make({ user: 'bob@example.com' });
  expect((await bob('POST', '/apps', { name: 'shop' })).status).toBe(201);
  expect((await bob('GET', '/kith/tokens')).status).toBe(403);
  const eve = await make({ user: 'eve@example.com', role: 'viewer', scope: ['read'], expires_in: 60 });
  expect((await eve('GET', '/apps/shop')).status).toBe(200);
  expect((await eve('POST', '/apps', {})).status).toBe(403);
  // Another token of a user leaves their role alone.
  await make({ user: 'eve@example.com' });
  expect((await eve('GET', '/teams')).body).toMatchObject([{ role: 'viewer' }]);
});

test("an account is the user's name, and keeps it", async () => {
  await using api = await startApi();
  expect((await api.call('PATCH', '/account', { allow_tracking: false })).status).toBe(200);
  expect((await api.call('PATCH', '/account', { email: 'bob@example.com' })).body).toMatchObject({
    id: 'invalid_params',
  });
  const eve = as(api, tokenFor(api, 'eve@example.com', { role: 'collaborator' }));
  expect(at((await eve('GET', '/users/~')).body, 'email')).toBe('eve@example.com');
  expect((await eve('GET', '/users/ann@example.com')).status).toBe(404);
  expect(at((await api.call('GET', '/users/eve@example.com')).body, 'email')).toBe('eve@example.com');
});
