import { afterEach, beforeEach, expect, test } from 'vitest';
import { addonDuties } from '../../src/ledger/addons/addon-work.ts';
import type { AppId } from '../../src/ids.ts';
import { as, letIn, tokenFor } from '../api/callers.ts';
import { at } from '../api/harness.ts';
import type { Answer } from '../api/harness.ts';
import { eventually } from '../helpers/eventually.ts';
import { Acme, urlOf } from './acme.ts';
import { startPlatform } from './platform.ts';
import type { Platform } from './platform.ts';

let acme: Acme;
let platform: Platform;

beforeEach(async () => {
  acme = await new Acme().start();
  platform = await startPlatform();
  await call('POST', '/kith/providers', acme.manifest);
  await call('POST', '/apps', { name: 'blog' });
});

afterEach(async () => {
  await platform[Symbol.asyncDispose]();
  await acme[Symbol.asyncDispose]();
});

const call = (...args: Parameters<Platform['call']>): Promise<Answer> => platform.call(...args);
const create = (body: Record<string, unknown> = {}, app = 'blog'): Promise<Answer> =>
  call('POST', `/apps/${app}/addons`, { plan: 'acme-redis', ...body });
const vars = async (app = 'blog'): Promise<unknown> => (await call('GET', `/apps/${app}/config-vars`)).body;
const texts = async (app = 'blog'): Promise<readonly string[]> =>
  ((await call('GET', `/apps/${app}/releases`)).body as { description: string }[]).map(
    ({ description }) => description,
  );

/** Nothing is left to do, and the provider has exactly the add-ons that the ledger has. */
function settled(): Promise<true> {
  return eventually(
    () => {
      const view = platform.host.view();
      const live = [...view.apps.values()].flatMap(({ addons }) =>
        [...addons.values()].filter(({ state }) => state !== 'deprovisioned').map(({ name }) => name),
      );
      expect(addonDuties(view)).toEqual([]);
      expect(live.sort()).toEqual(acme.names);
      return true as const;
    },
    { withinMs: 60_000 },
  );
}

test('an add-on of a provider that answers at once is there with the answer', async () => {
  const answer = await create({ config: { fork: 'x', fast: true } });
  const { body } = answer;
  expect(answer.status).toBe(201);
  expect(body).toMatchObject({
    state: 'provisioned',
    config_vars: ['REDIS_URL'],
    provision_message: 'Your Redis is here.',
    plan: { name: 'acme-redis:mini' },
    addon_service: { name: 'acme-redis' },
    app: { name: 'blog' },
  });
  expect(at(body, 'name')).toMatch(/^acme-redis-[a-z]+-\d{5}$/);
  expect(await vars()).toEqual({ REDIS_URL: urlOf(at(body, 'id')) });
  const [asked] = acme.asked;
  expect(asked).toMatchObject({
    isAuthorized: true,
    accept: 'application/vnd.heroku-addons+json; version=3',
    body: {
      uuid: at(body, 'id'),
      name: at(body, 'name'),
      plan: 'mini',
      region: 'amazon-web-services::us-east-1',
      callback_url: `${platform.url}/addons/${at(body, 'id')}`,
      options: { fork: 'x', fast: 'true' },
      oauth_grant: { type: 'authorization_code' },
    },
  });
  expect((await texts()).slice(2)).toEqual([
    `Attach REDIS (@ref:${at(body, 'name')})`,
    `@ref:${at(body, 'name')} completed provisioning, setting REDIS_URL.`,
  ]);
  const { body: releases } = await call('GET', '/apps/blog/releases');
  expect(at(releases, 3, 'addon_plan_names', 0)).toBe('acme-redis:mini');
  expect(at(releases, 3, 'user', 'email')).toBe('acme-redis@addons.heroku.com');
  await settled();
});

test('what a provider refuses is told in its own words, and nothing was made', async () => {
  acme.misbehave = ({ method }) =>
    method === 'POST' ? { status: 422, body: { message: 'Not in your region.' } } : null;
  const { status, body } = await create();
  expect([status, at(body, 'id'), at(body, 'message')]).toEqual([
    422,
    'invalid_params',
    'Not in your region.',
  ]);
  expect((await call('GET', '/apps/blog/addons')).body).toEqual([]);
  expect(await texts()).toHaveLength(2);
  await settled();
});

test('a provider that fails at first is asked again, with the same uuid', async () => {
  acme.misbehave = () => (acme.asked.length === 1 ? { status: 503 } : null);
  expect((await create()).status).toBe(201);
  expect(acme.asked[0]?.body.uuid).toBe(acme.asked[1]?.body.uuid);
  await settled();
});

test('one whose answer cannot be read is asked again', async () => {
  acme.misbehave = () => (acme.asked.length === 1 ? { status: 200, body: { config: ['no'] } } : null);
  expect((await create()).status).toBe(201);
  await settled();
});

test('an asynchronous provider calls back when it is ready', async () => {
  acme.isAsync = true;
  const { status, body } = await create();
  expect([status, at(body, 'state')]).toEqual([202, 'provisioning']);
  expect(await vars()).toEqual({});
  const id = at(body, 'id');
  const { callback } = acme.resources.get(id) ?? { callback: '' };
  const { access_token: token } = await acme.tokensOf(id, platform.url);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const config = JSON.stringify({ config: [{ name: 'REDIS_URL', value: 'redis://ready' }] });
  expect((await fetch(`${callback}/config`, { method: 'PATCH', headers, body: config })).status).toBe(200);
  const ready = await fetch(`${callback}/actions/provision`, { method: 'POST', headers });
  expect([ready.status, at(await ready.json(), 'state')]).toEqual([200, 'provisioned']);
  expect(await vars()).toEqual({ REDIS_URL: 'redis://ready' });
  expect((await texts()).at(-1)).toMatch(/completed provisioning, setting REDIS_URL\.$/);
  await settled();
});

test('an asynchronous provider that cannot make it says so', async () => {
  acme.isAsync = true;
  const { body } = await create();
  const { callback } = acme.resources.get(at(body, 'id')) ?? { callback: '' };
  expect(
    (await fetch(`${callback}/actions/deprovision`, { method: 'POST', headers: acme.basic })).status,
  ).toBe(200);
  await settled();
  expect((await call('GET', '/apps/blog/addons')).body).toEqual([]);
  expect((await texts()).at(-1)).toMatch(/^Detach REDIS/);
});

test('a provider that rotates its values makes a release in every app that has the add-on', async () => {
  const { body } = await create();
  await call('POST', '/apps', { name: 'shop' });
  const attached = await call('POST', '/addon-attachments', {
    addon: { name: at(body, 'name') },
    app: { name: 'shop' },
    name: 'cache',
  });
  expect([attached.status, at(attached.body, 'name')]).toEqual([201, 'CACHE']);
  expect(await vars('shop')).toEqual({ CACHE_URL: urlOf(at(body, 'id')) });
  const config = { config: [{ name: 'REDIS_URL', value: 'redis://rotated' }] };
  const rotated = await call('PATCH', `/addons/${at(body, 'id')}/config`, config, acme.basic);
  expect([rotated.status, rotated.body]).toEqual([200, config.config]);
  expect([await vars(), await vars('shop')]).toEqual([
    { REDIS_URL: 'redis://rotated' },
    { CACHE_URL: 'redis://rotated' },
  ]);
  expect((await texts('shop')).at(-1)).toBe('Update CACHE by acme-redis');
  await settled();
});

test('config is for its provider to write, and for nobody else', async () => {
  const { body } = await create();
  const id = at(body, 'id');
  const config = { config: [{ name: 'REDIS_URL', value: 'redis://mine' }] };
  expect((await call('PATCH', `/addons/${id}/config`, config)).status).toBe(403);
  const wrong = { authorization: `Basic ${Buffer.from('acme-redis:guess').toString('base64')}` };
  expect((await call('PATCH', `/addons/${id}/config`, config, wrong)).status).toBe(401);
  expect((await call('GET', `/apps/blog/config-vars`, undefined, acme.basic)).status).toBe(403);
  // A token is good for its own add-on alone.
  const other = await create({ attachment: { name: 'OTHER' } });
  const { access_token: token, refresh_token: refresh } = await acme.tokensOf(
    at(other.body, 'id'),
    platform.url,
  );
  const bearer = { authorization: `Bearer ${token}` };
  expect((await call('GET', `/addons/${id}/config`, undefined, bearer)).status).toBe(404);
  expect((await call('GET', `/addons/${at(other.body, 'id')}/config`, undefined, bearer)).status).toBe(200);
  // A refresh token is no access token, and works only with the secret.
  expect((await call('GET', `/addons/${id}`, undefined, { authorization: `Bearer ${refresh}` })).status).toBe(
    401,
  );
  const again = { grant_type: 'refresh_token', refresh_token: refresh };
  expect((await call('POST', '/oauth/token', { ...again, client_secret: 'guess' })).status).toBe(401);
  const fresh = await call('POST', '/oauth/token', { ...again, client_secret: acme.manifest.api.password });
  expect([fresh.status, at(fresh.body, 'token_type')]).toEqual([200, 'Bearer']);
});

test('a provider asks of add-ons of its own, and of nothing else', async () => {
  const id = at((await create()).body, 'id');
  expect((await call('GET', `/addons/${id}`, undefined, acme.basic)).status).toBe(200);
  for (const [method, path] of [
    ['GET', '/addons'],
    ['GET', '/kith/cluster'],
    ['GET', '/pipelines'],
    ['POST', '/sources'],
  ] as const) {
    expect((await call(method, path, undefined, acme.basic)).status).toBe(403);
  }
});

test('a provider sets the config vars that its manifest names, and no others', async () => {
  let isGreedy = true;
  acme.misbehave = ({ method }) =>
    method === 'POST' && isGreedy
      ? { status: 201, body: { id: 'x', config: { REDIS_URL: 'redis://x', LD_PRELOAD: '/app/evil.so' } } }
      : null;
  const creating = create();
  await eventually(() => expect(acme.times('POST')).toBeGreaterThan(1), { withinMs: 60_000 });
  isGreedy = false;
  const id = at((await creating).body, 'id');
  await settled();
  expect(await vars()).toEqual({ REDIS_URL: urlOf(id) });
  const config = (name: string, value: string | null) =>
    call('PATCH', `/addons/${id}/config`, { config: [{ name, value }] }, acme.basic);
  expect(await config('LD_PRELOAD', '/app/evil.so')).toMatchObject({ status: 422 });
  expect((await config('LD_PRELOAD', null)).status).toBe(200);
  expect((await config('REDIS_URL', 'redis://y')).status).toBe(200);
});

test('a manifest with a password that could be guessed is refused, and says what to do', async () => {
  const { api } = acme.manifest;
  const weak = { ...acme.manifest, id: 'weak-redis', api: { ...api, password: 'hunter2' } };
  const { status, body } = await call('POST', '/kith/providers', weak);
  expect(status).toBe(422);
  expect(at(body, 'message')).toMatch(
    /^Invalid parameter "api.password": it has 7 characters, .*openssl rand/,
  );
});

test('a provider whose password is tried over and over has to wait, users at that address do not', async () => {
  await call('POST', '/kith/providers', { ...acme.manifest, id: 'tried-redis' });
  const login = (password: string) => ({
    authorization: `Basic ${Buffer.from(`tried-redis:${password}`).toString('base64')}`,
  });
  const guess = async (i: number): Promise<number> =>
    (await call('GET', '/addons/x', undefined, login(`guess ${i}`))).status;
  for (let i = 0; i < 5; i++) expect(await guess(i)).toBe(401);
  // It waits a second, and twice as long after each further one: a slow machine may have passed the first waits.
  const statuses: number[] = [];
  while (statuses.length < 7 && statuses.at(-1) !== 429) statuses.push(await guess(5 + statuses.length));
  expect(statuses.at(-1)).toBe(429);
  expect((await call('GET', '/apps')).status).toBe(200);
  expect((await call('GET', '/addons/x', undefined, acme.basic)).status).toBe(404);
});

test('a provider is told where it may post log lines, and nobody else is', async () => {
  const id = at((await create()).body, 'id');
  const { body } = await call('GET', `/addons/${id}`, undefined, acme.basic);
  expect(at(body, 'log_input_url')).toMatch(
    new RegExp(`^http://token:t\\..+@127.0.0.1:\\d+/logs/${id}/input$`),
  );
  expect((await call('GET', `/addons/${id}`)).body).not.toHaveProperty('log_input_url');
});

test('what a provider says to users is cut, and moves no cursor', async () => {
  acme.message = `\u001b[2JAll is\nwell${'!'.repeat(5_000)}`;
  const said = at((await create()).body, 'provision_message');
  expect(said).toMatch(/^\[2JAll is\nwell!+$/);
  expect(said).toHaveLength(2_000);
});

test('who knows a Request-Id gets no tokens by it', async () => {
  const id = at((await create()).body, 'id');
  const headers = { 'request-id': 'request-12345678' };
  const { code } = acme.resources.get(id) ?? { code: '' };
  const grant = { grant_type: 'authorization_code', code, client_secret: acme.manifest.api.password };
  expect((await call('POST', '/oauth/token', grant, headers)).status).toBe(200);
  expect((await call('POST', '/oauth/token', {}, headers)).status).toBe(422);
});

test('what is in apps that somebody may not see is not there for them, nor are those apps named', async () => {
  const { body } = await create();
  const [id, name] = [at(body, 'id'), at(body, 'name')];
  await call('POST', '/apps', { name: 'shop' });
  await call('POST', '/addon-attachments', { addon: id, app: 'shop', name: 'SHARED' });
  const eve = as(platform, tokenFor(platform, 'eve@example.com', { role: 'collaborator' }));
  await call('POST', '/apps', { name: 'eves' });
  letIn(platform, platform.host.view().names.get('eves') as AppId, 'eve@example.com', ['operate']);
  for (const answer of [
    await eve('GET', `/addons/${name}`),
    await eve('GET', `/addon-attachments/${name}`),
    await eve('DELETE', `/addon-attachments/${name}`),
    await eve('POST', '/actions/addon-attachments/resolve', { addon_attachment: name }),
    await eve('POST', '/addon-attachments', { addon: name, app: 'eves' }),
  ]) {
    expect(answer.status).toBe(404);
    expect(JSON.stringify(answer.body)).not.toMatch(/blog|shop/);
  }
});

test('the way to an add-on’s own page is shown to tokens that are good for config vars', async () => {
  const id = at((await create()).body, 'id');
  expect(at((await call('GET', `/addons/${id}`)).body, 'web_url')).toContain('resource_token');
  const weak = as(platform, tokenFor(platform, 'ann@example.com', { scopes: ['read'] }));
  expect((await weak('GET', `/addons/${id}`)).body).toMatchObject({ web_url: null });
});

test('a plan changes when its provider agrees, and stays when not', async () => {
  const { body } = await create();
  const path = `/apps/blog/addons/${at(body, 'name')}`;
  const bigger = await call('PATCH', path, { plan: { name: 'acme-redis:big' } });
  expect([bigger.status, at(bigger.body, 'plan', 'name')]).toEqual([200, 'acme-redis:big']);
  expect(await vars()).toEqual({ REDIS_URL: urlOf(at(body, 'id'), 'big') });
  acme.misbehave = ({ method }) =>
    method === 'PUT' ? { status: 422, body: { message: 'Too much data.' } } : null;
  const smaller = await call('PATCH', path, { plan: { name: 'acme-redis:mini' } });
  expect([smaller.status, at(smaller.body, 'message')]).toEqual([422, 'Too much data.']);
  expect(at((await call('GET', path)).body, 'plan', 'name')).toBe('acme-redis:big');
  expect((await call('PATCH', path, { plan: { name: 'acme-redis:huge' } })).status).toBe(404);
  await settled();
});

test('what is destroyed goes from its provider and from every app', async () => {
  const { body } = await create();
  await call('POST', '/apps', { name: 'shop' });
  await call('POST', '/addon-attachments', { addon: at(body, 'name'), app: 'shop', name: 'CACHE' });
  const path = `/apps/blog/addons/${at(body, 'id')}`;
  expect((await call('DELETE', path, {})).status).toBe(422);
  const gone = await call('DELETE', path, { force: true });
  expect([gone.status, at(gone.body, 'state')]).toEqual([200, 'deprovisioned']);
  expect([await vars(), await vars('shop')]).toEqual([{}, {}]);
  expect(acme.names).toEqual([]);
  await settled();
});

test('a provider that does not answer a deprovisioning is asked until it does', async () => {
  const { body } = await create();
  acme.misbehave = ({ method }) =>
    method === 'DELETE' && acme.times('DELETE') === 1 ? { status: 500 } : null;
  await call('DELETE', `/apps/blog/addons/${at(body, 'id')}`, {});
  await settled();
  expect(acme.times('DELETE')).toBe(2);
});

test('an app that is destroyed takes its add-ons along', async () => {
  await create();
  await call('DELETE', '/apps/blog');
  await settled();
  expect(acme.names).toEqual([]);
});

test('whoever takes over after a peer that died in the middle finishes it, once', async () => {
  acme.misbehave = async () => {
    if (acme.times('POST') > 1) return null;
    // The provider makes it, and who asked is gone before the answer.
    platform.stopWorking();
    return null;
  };
  const creating = create();
  await eventually(() => acme.names.length === 1);
  platform.startWorking();
  expect((await creating).status).toBe(201);
  expect(acme.times('POST')).toBe(2);
  expect(acme.names).toHaveLength(1);
  await settled();
});

test('config vars of the user are replaced only by their leave', async () => {
  await call('PATCH', '/apps/blog/config-vars', { REDIS_URL: 'mine' });
  const refused = await create();
  expect([refused.status, at(refused.body, 'id')]).toEqual([423, 'confirmation_required']);
  expect((await create({ confirm: 'blog' })).status).toBe(201);
  const set = await call('PATCH', '/apps/blog/config-vars', { REDIS_URL: 'mine' });
  expect([set.status, at(set.body, 'message')]).toEqual([
    422,
    'Cannot overwrite attachment values REDIS_URL.',
  ]);
});

test('add-ons are found by whatever they are called', async () => {
  const { body } = await create();
  const find = (addon: string, app: string | null = 'blog') =>
    call('POST', '/actions/addons/resolve', { addon, app });
  for (const name of [at(body, 'id'), at(body, 'name'), 'REDIS', 'acme-redis', 'acme-redis:mini']) {
    expect(at((await find(name)).body, 0, 'id')).toBe(at(body, 'id'));
  }
  const none = await find('nothing');
  expect([none.status, at(none.body, 'resource')]).toEqual([404, 'add_on']);
  const attachments = await call('POST', '/actions/addon-attachments/resolve', {
    addon_attachment: 'REDIS',
    app: 'blog',
  });
  expect(acme.accepts(at(attachments.body, 0, 'web_url'))).toBe(true);
  expect(acme.accepts(at((await call('GET', `/addons/${at(body, 'id')}/sso`)).body, 'action'))).toBe(true);
});

test('a second add-on of a service is attached in a colour', async () => {
  await create();
  const { body } = await create({ name: 'second' });
  expect(at(body, 'config_vars', 0)).toMatch(/^ACME_REDIS_[A-Z]+_URL$/);
  expect((await create({ name: 'second' })).status).toBe(422);
  await settled();
});

test('where a provider is, admins are told and nobody else', async () => {
  const member = as(platform, tokenFor(platform, 'eve@example.com', { role: 'member' }));
  const mine = { id: 'acme-redis', base_url: acme.manifest.api.production.base_url };
  expect((await call('GET', '/kith/providers')).body).toContainEqual(expect.objectContaining(mine));
  const shown = { id: 'acme-redis', base_url: null };
  expect((await member('GET', '/kith/providers')).body).toContainEqual(expect.objectContaining(shown));
});

test('which app runs the server of a built-in provider is told to admins, and setting it again writes nothing', async () => {
  const member = as(platform, tokenFor(platform, 'eve@example.com', { role: 'member' }));
  const { body: port } = await call('POST', '/kith/apps/blog/ports', { type: 'server' });
  const server = `redis://kith:pw@kith.internal:${at(port, 'number')}`;
  const set = await call('PATCH', '/kith/providers/kith-redis', { settings: { server } });
  expect(set.body).toMatchObject({ id: 'kith-redis', app: { name: 'blog' } });
  const setAt = platform.host.view().providers.get('kith-redis')?.setAt;
  await call('PATCH', '/kith/providers/kith-redis', { settings: { server } });
  expect(platform.host.view().providers.get('kith-redis')?.setAt).toBe(setAt);
  const shown = { id: 'kith-redis', app: null };
  expect((await member('GET', '/kith/providers')).body).toContainEqual(expect.objectContaining(shown));
  const elsewhere = { settings: { server: 'redis://kith:pw@10.0.0.7' } };
  expect((await call('PATCH', '/kith/providers/kith-redis', elsewhere)).body).toMatchObject({ app: null });
});

test('services and plans are those of the manifest', async () => {
  expect(at((await call('GET', '/addon-services/acme-redis')).body, 'human_name')).toBe('Acme Redis');
  const { body } = await call('GET', '/addon-services/acme-redis/plans');
  expect(body).toMatchObject([
    { name: 'acme-redis:mini', default: true, price: { cents: 0 } },
    { name: 'acme-redis:big', default: false, price: { cents: 500, unit: 'month' } },
  ]);
  expect((await create({ plan: 'acme-redis:none' })).status).toBe(404);
  expect((await create({ plan: 'nobody:mini' })).status).toBe(404);
});

test('a repeated request is the same add-on', async () => {
  const id = { 'request-id': 'a-request-of-a-client' };
  const [first, second] = [
    await platform.call('POST', '/apps/blog/addons', { plan: 'acme-redis' }, id),
    await platform.call('POST', '/apps/blog/addons', { plan: 'acme-redis' }, id),
  ];
  expect(at(second.body, 'id')).toBe(at(first.body, 'id'));
  expect(acme.names).toHaveLength(1);
});

test('the password of a provider is nowhere in the clear', async () => {
  const { body } = await call('GET', '/kith/providers');
  expect(JSON.stringify(body)).not.toContain(acme.manifest.api.password);
  expect(platform.logged.join('')).not.toContain(acme.manifest.api.password);
});
