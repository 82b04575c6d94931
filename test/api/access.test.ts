import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import type { AppId } from '../../src/ids.ts';
import { ALL_ROUTES } from '../../agent/api/resources/all-routes.ts';
import type { Endpoint, Need } from '../../src/platform/endpoint.ts';
import { as, everybody, letIn, tokenFor } from './callers.ts';
import { at, startApi } from './harness.ts';

const EVERYBODY = [
  'admin',
  'member',
  'viewer',
  'collaborator',
  'owner',
  'view',
  'deploy',
  'operate',
  'manage',
] as const;

/** Who may ask for what, of those of `everybody`: written out, so that it is not the code that says what the code does. */
const ALLOWED: Readonly<Record<Exclude<Need, 'nothing'>, readonly string[]>> = {
  user: EVERYBODY,
  viewer: ['admin', 'member', 'viewer'],
  member: ['admin', 'member'],
  admin: ['admin'],
  view: ['admin', 'owner', 'member', 'viewer', 'view', 'deploy', 'operate', 'manage'],
  deploy: ['admin', 'owner', 'deploy'],
  operate: ['admin', 'owner', 'operate'],
  manage: ['admin', 'owner', 'manage'],
};

/** Tokens of an admin that are good for less. */
function scopesFor({ method, needs, scope, isProtected }: Endpoint): readonly string[] {
  if (scope === 'global' || needs === 'admin') return [];
  if (scope === 'identity') return ['identity', 'read', 'write', 'read-protected', 'write-protected'];
  if (method === 'GET' || scope === 'read') {
    return isProtected
      ? ['read-protected', 'write-protected']
      : ['read', 'write', 'read-protected', 'write-protected'];
  }
  return isProtected ? ['write-protected'] : ['write', 'write-protected'];
}

const ENDPOINTS = ALL_ROUTES.map(({ endpoint }) => endpoint).filter(({ needs }) => needs !== 'nothing');
const filled = ({ path }: Endpoint): string =>
  path.replace(/:(\w+)/g, (_, name) => (name === 'app' ? 'blog' : 'x'));

test('every endpoint that asks for a permission names the app of it in its path', () => {
  const wrong = ENDPOINTS.filter(
    ({ needs, path }) => /^(view|deploy|operate|manage)$/.test(needs) && !path.includes('/:app'),
  );
  expect(wrong.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('every endpoint refuses strangers with 401, and each who lacks the right or the scope with 403', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const tokens = await everybody(api, app);
  for (const endpoint of ENDPOINTS) {
    const { method, needs } = endpoint;
    const path = filled(endpoint);
    const stranger = await api.call(method, path, undefined, { authorization: '' });
    expect([method, path, stranger.status]).toEqual([method, path, 401]);
    const allowed = needs === 'nothing' ? [] : ALLOWED[needs];
    for (const who of EVERYBODY.filter((each) => !allowed.includes(each))) {
      const { status, body } = await as(api, tokens.get(who) ?? '')(method, path);
      expect([who, method, path, status]).toEqual([who, method, path, 403]);
      const text =
        who === 'collaborator' && path.includes('blog')
          ? /^You do not have access to the app blog\.$/
          : /^You do not have (access|permission) to /;
      expect(body).toMatchObject({ id: 'forbidden', message: expect.stringMatching(text) });
    }
    const scopes = ['identity', 'read', 'write', 'read-protected', 'write-protected'];
    for (const scope of scopes.filter((each) => !scopesFor(endpoint).includes(each))) {
      const { status, body } = await as(api, tokens.get(`scope ${scope}`) ?? '')(method, path);
      expect([scope, method, path, status]).toEqual([scope, method, path, 403]);
      expect(at(body, 'message')).toMatch(/^The scope of this OAuth authorization does not allow/);
    }
  }
  expect(api.host.view().apps.get(app)?.destroyed).toBe(false);
});

test('every endpoint that only shows lets in whoever has the right and the scope', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const tokens = await everybody(api, app);
  const reads = ENDPOINTS.filter(({ method }) => method === 'GET');
  for (const endpoint of reads) {
    const { method, needs } = endpoint;
    const path = filled(endpoint);
    const fitting = needs === 'nothing' ? [] : ALLOWED[needs];
    for (const who of [...fitting, ...scopesFor(endpoint).map((scope) => `scope ${scope}`)]) {
      const { status } = await as(api, tokens.get(who) ?? '')(method, path);
      expect([who, path, status === 401 || status === 403]).toEqual([who, path, false]);
    }
  }
});

test('lists show each user what they may see', async () => {
  await using api = await startApi();
  const blog = await api.deployedApp('blog');
  await api.deployedApp('shop');
  const tokens = await everybody(api, blog);
  const names = async (who: string, path: string) => {
    const { body } = await as(api, tokens.get(who) ?? '')('GET', path);
    return (body as readonly { name: string }[]).map(({ name }) => name);
  };
  for (const path of ['/apps', '/users/~/apps', '/teams/attic/apps', '/teams/apps']) {
    expect(await names('viewer', path)).toEqual(['blog', 'shop']);
    expect(await names('view', path)).toEqual(['blog']);
    expect(await names('owner', path)).toEqual(['blog']);
    expect(await names('collaborator', path)).toEqual([]);
  }
  expect(await names('member', '/users/owner@example.com/apps')).toEqual(['blog']);
});

test('git is fetched and pushed by whoever may deploy, with a token that reads or writes', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const tokens = await everybody(api, app);
  const ask = async (who: string, service: string) => {
    const { status, body } = await as(api, tokens.get(who) ?? '')(
      'GET',
      `/blog.git/info/refs?service=${service}`,
    );
    return [status, String(body).split('\n')[0]];
  };
  expect(await ask('deploy', 'git-receive-pack')).toEqual([200, 'git GET of blog for deploy@example.com']);
  expect(await ask('collaborator', 'git-upload-pack')).toEqual([
    403,
    expect.stringContaining('You do not have access to the app blog.'),
  ]);
  expect(await ask('view', 'git-upload-pack')).toEqual([
    403,
    expect.stringContaining('permission to deploy'),
  ]);
  expect((await ask('scope read', 'git-upload-pack'))[0]).toBe(200);
  expect((await ask('scope read', 'git-receive-pack'))[0]).toBe(403);
});

test('a rename takes more than the rest of the same endpoint', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const tokens = await everybody(api, app);
  const operate = as(api, tokens.get('operate') ?? '');
  expect((await operate('PATCH', '/apps/blog', { maintenance: true })).status).toBe(200);
  expect((await operate('PATCH', '/apps/blog', { name: 'diary' })).status).toBe(403);
  expect((await as(api, tokens.get('owner') ?? '')('PATCH', '/apps/blog', { name: 'diary' })).status).toBe(
    200,
  );
});

test('collaborators are let in, given more, listed, and shut out again', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const bob = as(api, tokenFor(api, 'Bob@Example.com', { role: 'collaborator' }));
  expect((await bob('GET', '/apps/blog')).status).toBe(403);
  const added = await api.call('POST', '/apps/blog/collaborators', { user: 'bob@example.com' });
  expect(added.status).toBe(201);
  expect(added.body).toMatchObject({
    user: { email: 'bob@example.com' },
    role: 'collaborator',
    permissions: [{ name: 'view' }, { name: 'deploy' }, { name: 'operate' }],
  });
  expect((await api.call('POST', '/apps/blog/collaborators', { user: 'bob@example.com' })).status).toBe(422);
  expect((await bob('GET', '/apps/blog/config-vars')).status).toBe(200);
  const path = '/teams/apps/blog/collaborators/bob@example.com';
  expect((await api.call('PATCH', path, { permissions: ['view'] })).status).toBe(200);
  expect((await bob('GET', '/apps/blog/config-vars')).status).toBe(403);
  const listed = await bob('GET', '/apps/blog/collaborators');
  expect((listed.body as object[]).map((row) => [at(row, 'user', 'email'), at(row, 'role')])).toEqual([
    ['ann@example.com', 'admin'],
    ['bob@example.com', 'collaborator'],
  ]);
  letIn(api, app, 'eve@example.com', ['view']);
  expect((await bob('DELETE', '/apps/blog/collaborators/eve@example.com')).status).toBe(403);
  expect((await bob('DELETE', '/apps/blog/collaborators/bob@example.com')).status).toBe(200);
  expect((await bob('GET', '/apps/blog')).status).toBe(403);
  expect((await api.call('DELETE', '/apps/blog/collaborators/bob@example.com')).body).toMatchObject({
    id: 'not_found',
    resource: 'collaborator',
  });
  expect((await api.call('DELETE', '/apps/blog/collaborators/ann@example.com')).status).toBe(422);
});

test('an app is transferred to a user who is known; who had it stays a collaborator', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const tokens = await everybody(api, app);
  const body = { app: 'blog', recipient: 'member@example.com' };
  expect((await as(api, tokens.get('operate') ?? '')('POST', '/account/app-transfers', body)).status).toBe(
    403,
  );
  const owner = as(api, tokens.get('owner') ?? '');
  const nobody = await owner('POST', '/account/app-transfers', {
    app: 'blog',
    recipient: 'nobody@example.com',
  });
  expect(nobody.body).toMatchObject({
    id: 'invalid_params',
    message: expect.stringContaining('no such user'),
  });
  const done = await owner('POST', '/account/app-transfers', body);
  expect([done.status, at(done.body, 'state')]).toEqual([201, 'accepted']);
  expect((await owner('DELETE', '/apps/blog')).status).toBe(403);
  expect((await owner('GET', '/apps/blog/config-vars')).status).toBe(200);
  const member = as(api, tokens.get('member') ?? '');
  const back = await member('PATCH', '/teams/apps/blog', { owner: 'owner@example.com' });
  expect(at(back.body, 'owner', 'email')).toBe('owner@example.com');
  expect((await owner('PATCH', '/teams/apps/blog', { owner: 'attic' })).status).toBe(422);
});

test('the cluster is one team, whose members have roles', async () => {
  await using api = await startApi();
  const teams = await api.call('GET', '/teams');
  expect(teams.body).toMatchObject([{ name: 'attic', type: 'team', role: 'admin' }]);
  expect((await api.call('GET', '/teams/elsewhere/members')).body).toMatchObject({ resource: 'team' });
  const put = await api.call('PUT', '/teams/attic/members', { email: 'Eve@example.com', role: 'viewer' });
  expect(put.body).toMatchObject({ email: 'eve@example.com', role: 'viewer' });
  const eve = as(api, tokenFor(api, 'eve@example.com'));
  expect((await eve('POST', '/teams/apps', { name: 'shop', team: 'attic' })).status).toBe(403);
  await api.call('PATCH', '/teams/attic/members', { email: 'eve@example.com', role: 'member' });
  expect((await eve('POST', '/teams/apps', { name: 'shop', team: 'attic' })).status).toBe(201);
  const unknown = await api.call('PATCH', '/teams/attic/members', { email: 'x@example.com', role: 'member' });
  expect(unknown.body).toMatchObject({ id: 'not_found', resource: 'member' });
  expect((await api.call('PUT', '/teams/attic/members', { email: 'x@y.z', role: 'king' })).status).toBe(422);
  const listed = await eve('GET', `/teams/${at(teams.body, 0, 'id')}/members`);
  expect((listed.body as object[]).map((row) => [at(row, 'email'), at(row, 'role')])).toEqual([
    ['ann@example.com', 'admin'],
    ['eve@example.com', 'member'],
  ]);
  expect((await api.call('DELETE', '/teams/attic/members/eve@example.com')).status).toBe(200);
  expect((await eve('GET', '/account')).status).toBe(401);
});

test('the last admin stays one', async () => {
  await using api = await startApi();
  const path = '/teams/attic/members';
  const body = { email: 'ann@example.com', role: 'viewer' };
  expect((await api.call('PUT', path, body)).body).toMatchObject({
    message: expect.stringContaining('no other admin'),
  });
  expect((await api.call('DELETE', `${path}/ann@example.com`)).status).toBe(422);
  await api.call('PUT', path, { email: 'eve@example.com', role: 'admin' });
  expect((await api.call('PUT', path, body)).status).toBe(200);
});

test('a name that goes to another app while the body is on its way lets nobody in to that', async () => {
  await using api = await startApi();
  const own = at((await api.call('POST', '/apps', { name: 'blog' })).body, 'id') as AppId;
  const other = at((await api.call('POST', '/apps', { name: 'shop' })).body, 'id') as AppId;
  letIn(api, own, 'eve@example.com', ['deploy']);
  const token = tokenFor(api, 'eve@example.com', { role: 'collaborator' });
  const headers = { authorization: `Bearer ${token}`, expect: '100-continue' };
  const patch = request(`${api.url}/apps/blog/config-vars`, { method: 'PATCH', headers });
  patch.flushHeaders();
  await once(patch, 'continue');
  const by = { user: 'ann@example.com', request: null };
  api.host.write({ type: 'app.update', app: own, name: 'old' }, by);
  api.host.write({ type: 'app.update', app: other, name: 'blog' }, by);
  patch.end('{"EVIL":"x"}');
  const [answer] = (await once(patch, 'response')) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(403);
  expect((await api.call('GET', '/apps/blog/config-vars')).body).toEqual({});
});
