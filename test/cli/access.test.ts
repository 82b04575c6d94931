import { expect, test } from 'vitest';
import { runKith } from './run-kith.ts';
import { StubApi, type Answer } from './stub-api.ts';

const permission = (name: string) => ({ name, description: '' });
const collaborator = {
  user: { id: 'u1', email: 'bob@example.com' },
  role: 'collaborator',
  permissions: [permission('view'), permission('deploy')],
};
const member = { id: 'u1', email: 'bob@example.com', role: 'member', created_at: '2026-01-02T11:00:00Z' };
const authorization = {
  id: 'a1',
  description: 'CI',
  scope: ['read', 'write'],
  expires_at: null,
  updated_at: '2026-01-02T11:00:00Z',
};
const withToken = { ...authorization, access_token: { id: 't1', expires_in: null, token: 'kith-new' } };
const teams = { 'GET /teams': [{ id: 'team', name: 'home' }] };

/** One row a command: what the API holds, what is asked of it, and what is shown. */
const CASES: readonly {
  readonly line: string;
  readonly api: Readonly<Record<string, Answer>>;
  readonly sends?: Readonly<Record<string, unknown>>;
  readonly shows?: string | RegExp;
  readonly says?: string | RegExp;
}[] = [
  {
    line: 'access',
    api: { 'GET /apps/blog/collaborators': [collaborator] },
    shows: /bob@example\.com +collaborator +view, deploy/,
  },
  {
    line: 'access:add bob@example.com -p deploy,view',
    api: { 'POST /apps/blog/collaborators': collaborator },
    sends: {
      'POST /apps/blog/collaborators': { user: 'bob@example.com', permissions: ['deploy', 'view'] },
    },
    says: 'Adding bob@example.com to ⬢ blog... done, view, deploy\n',
  },
  {
    line: 'access:update bob@example.com -p deploy',
    api: { 'PATCH /apps/blog/collaborators/bob%40example.com': collaborator },
    sends: { 'PATCH /apps/blog/collaborators/bob%40example.com': { permissions: ['deploy'] } },
    says: 'Updating bob@example.com of ⬢ blog... done, view, deploy\n',
  },
  {
    line: 'access:remove bob@example.com',
    api: { 'DELETE /apps/blog/collaborators/bob%40example.com': collaborator },
    says: 'Removing bob@example.com from ⬢ blog... done\n',
  },
  {
    line: 'apps:transfer bob@example.com',
    api: { 'POST /account/app-transfers': { state: 'accepted' } },
    sends: { 'POST /account/app-transfers': { app: 'blog', recipient: 'bob@example.com' } },
    says: 'Transferring ⬢ blog to bob@example.com... done\n',
  },
  {
    line: 'members',
    api: { ...teams, 'GET /teams/home/members': [member] },
    shows: /bob@example\.com +member +2026/,
  },
  {
    line: 'members:add bob@example.com -r member',
    api: { ...teams, 'PUT /teams/home/members': member },
    sends: { 'PUT /teams/home/members': { email: 'bob@example.com', role: 'member' } },
    says: 'Adding bob@example.com as member... done\n',
  },
  {
    line: 'members:set bob@example.com -r viewer',
    api: { ...teams, 'PATCH /teams/home/members': member },
    sends: { 'PATCH /teams/home/members': { email: 'bob@example.com', role: 'viewer' } },
    says: 'Setting the role of bob@example.com to viewer... done\n',
  },
  {
    line: 'members:remove bob@example.com',
    api: { ...teams, 'DELETE /teams/home/members/bob%40example.com': member },
    says: 'Removing bob@example.com... done\n',
  },
  {
    line: 'authorizations',
    api: { 'GET /oauth/authorizations': [authorization] },
    shows: /a1 +CI +read, write/,
  },
  {
    line: 'authorizations:create -d CI -s read,write -e 2h',
    api: { 'POST /oauth/authorizations': withToken },
    sends: {
      'POST /oauth/authorizations': { description: 'CI', scope: ['read', 'write'], expires_in: 7_200 },
    },
    shows: /ID: +a1\n[^]*Scope: +read, write\n[^]*Token: +kith-new\n/,
  },
  {
    line: 'authorizations:create -S',
    api: { 'POST /oauth/authorizations': withToken },
    sends: { 'POST /oauth/authorizations': {} },
    shows: 'kith-new\n',
  },
  { line: 'authorizations:info a1', api: { 'GET /oauth/authorizations/a1': authorization }, shows: /CI/ },
  {
    line: 'authorizations:update a1 -d CI',
    api: { 'PATCH /oauth/authorizations/a1': authorization },
    sends: { 'PATCH /oauth/authorizations/a1': { description: 'CI' } },
    shows: /Description: +CI\n/,
  },
  {
    line: 'authorizations:rotate a1',
    api: { 'POST /oauth/authorizations/a1/actions/regenerate-tokens': withToken },
    shows: /Token: +kith-new\n/,
    says: 'Rotating a1... done\n',
  },
  {
    line: 'authorizations:revoke a1',
    api: { 'DELETE /oauth/authorizations/a1': authorization },
    says: 'Revoking a1... done, CI\n',
  },
  { line: 'auth:token', api: {}, shows: 'secret\n' },
  {
    line: 'tokens:create bob@example.com --role viewer',
    api: { 'POST /kith/tokens': { id: 't2', user: 'bob@example.com', token: 'kith-tok' } },
    sends: { 'POST /kith/tokens': { user: 'bob@example.com', role: 'viewer' } },
    shows: 'kith-tok\n',
  },
];

const kith = (stub: StubApi, words: readonly string[]) =>
  runKith(words, { env: { KITH_HOST: stub.host, KITH_TOKEN: 'secret', KITH_APP: 'blog' } });

test.each(CASES)('kith $line', async ({ line, api, sends = {}, shows, says }) => {
  await using stub = await StubApi.start();
  for (const [route, answer] of Object.entries(api)) stub.on(route, answer);
  const ran = await kith(stub, line.split(' '));
  expect(ran).toMatchObject({ status: 0 });
  expect(stub.asked).toEqual(Object.keys(api));
  for (const [route, body] of Object.entries(sends)) expect(stub.sent(route).body).toEqual(body);
  if (shows !== undefined) expect(ran.stdout).toMatch(shows);
  if (says !== undefined) expect(ran.stderr).toMatch(says);
});

test.each(CASES)('kith $line --json prints JSON and nothing else', async ({ line, api }) => {
  await using stub = await StubApi.start();
  for (const [route, answer] of Object.entries(api)) stub.on(route, answer);
  const ran = await kith(stub, [...line.split(' '), '--json']);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(() => JSON.parse(ran.stdout)).not.toThrow();
});

test.each([
  ['access:update bob@example.com', /No permissions were named/],
  ['members:add bob@example.com', /No role was named/],
  ['members:set bob@example.com', /No role was named/],
  ['authorizations:create -e soon', /"soon" is no time/],
])('kith %s says what is missing', async (line, says) => {
  await using stub = await StubApi.start();
  const ran = await kith(stub, line.split(' '));
  expect(ran.status).not.toBe(0);
  expect(ran.stderr).toMatch(says);
});
