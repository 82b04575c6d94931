import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must, run } from '../../scripts/lib/kith.ts';
import { useCluster } from '../cluster/cluster.ts';
import { Heroku, PROGRAM } from './heroku.ts';
import { openTerminal } from '../helpers/terminal.ts';

const cluster = useCluster(3);
const heroku = new Heroku(cluster);
const APP = 'vault';
const BOB = 'bob@example.com';
let bobToken = '';
const bob = new Heroku(cluster, 'bob', () => bobToken);

test('collaborators are given permissions, shown, changed and shut out', async () => {
  await heroku.run('apps:create', APP);
  await heroku.shows(['access', '-a', APP], /admin@ash +admin +deploy, manage, operate, view/);
  await heroku.run('access:add', BOB, '-a', APP, '-p', 'deploy,view');
  await heroku.shows(['access', '-a', APP], /bob@example\.com +\S+ +deploy, view/);
  await heroku.run('access:update', BOB, '-a', APP, '-p', 'operate');
  await heroku.shows(['access', '-a', APP], /bob@example\.com +\S+ +operate, view/);
  const access = await heroku.json<readonly { user: { email: string } }[]>('access', '-a', APP);
  expect(access.map(({ user }) => user.email)).toContain(BOB);
  await heroku.run('access:remove', BOB, '-a', APP);
  await heroku.shows(['access', '-a', APP], /^((?!bob@)[^])*$/);
  expect(await heroku.fails('access:remove', BOB, '-a', APP)).toMatchObject({ status: 2 });
});

test('the cluster is a team, whose members are added, listed, changed and removed', async () => {
  const team = (await heroku.shows(['teams'], /ash +admin/)).includes('ash') ? 'ash' : '';
  await heroku.run('members:add', BOB, '--role', 'member', '--team', team);
  await heroku.shows(['members', '--team', team], /bob@example\.com +member/);
  await heroku.run('members:set', BOB, '--role', 'collaborator', '--team', team);
  await heroku.shows(['members', '--team', team, '--role', 'admin'], 'admin@ash', /^((?!bob@)[^])*$/);
  await heroku.run('members:set', BOB, '--role', 'member', '--team', team);
  await heroku.shows(['members', '--team', team], /bob@example\.com +member/);
  await heroku.run('members:remove', BOB, '--team', team);
  await heroku.shows(['members', '--team', team], /^((?!bob@)[^])*$/);
});

test('whoever is given a token does what their role and permissions allow, at every peer', async () => {
  const made = await cluster.peer('birch').json<{ token: string }>(['tokens:create', BOB]);
  bobToken = made.token;
  await bob.shows(['auth:whoami'], BOB);
  await heroku.run('members:set', BOB, '--role', 'collaborator', '--team', 'ash');
  await heroku.shows(['members', '--team', 'ash'], /bob@example\.com +collaborator/);
  expect((await bob.fails('config', '-a', APP)).status).toBe(2);
  await heroku.run('access:add', BOB, '-a', APP, '-p', 'view,operate');
  await heroku.shows(['access', '-a', APP], BOB);
  await bob.shows(['ps', '-a', APP], 'No dynos on vault');
  const refused = await bob.fails('apps:destroy', '-a', APP, '--confirm', APP);
  expect(refused).toEqual({ status: 2, said: expect.stringMatching(/forbidden/) });
});

test('authorizations are made, listed, shown, updated, rotated and revoked', async () => {
  const created = await heroku.run('authorizations:create', '-d', 'for ci', '-e', '3600', '-s', 'read');
  expect(created).toMatch(/Description: for ci[^]*Scope: +read[^]*Token: +kith-[^]*Expires at:/);
  const id = /ID: +(\S+)/.exec(created)?.[1] ?? '';
  const token = /Token: +(\S+)/.exec(created)?.[1] ?? '';
  await heroku.shows(['authorizations'], new RegExp(`for ci +${id} +read`));
  expect(await heroku.run('authorizations:info', id)).toContain('for ci');
  const ci = new Heroku(cluster, 'ci', () => token);
  await ci.shows(['apps', '--all'], APP);
  expect((await ci.fails('apps:create', 'nope')).status).toBe(2);
  await heroku.run('authorizations:update', id, '-d', 'for tests');
  await heroku.shows(['authorizations'], 'for tests');
  const rotated = /Token: +(\S+)/.exec(await heroku.run('authorizations:rotate', id))?.[1];
  expect(rotated).toMatch(/^kith-/);
  expect(rotated).not.toBe(token);
  await new Heroku(cluster, 'rotated', () => rotated ?? '').shows(['auth:whoami'], 'admin@ash');
  await heroku.run('authorizations:revoke', id);
  await heroku.shows(['authorizations'], /^((?!for tests)[^])*$/);
  expect((await heroku.run('authorizations:create', '--short', '-d', 'short')).trim()).toMatch(/^kith-\S+$/);
  expect(await heroku.run('auth:token')).toBe(`${cluster.peer('ash').token}\n`);
});

test('a login with a token for a password is kept, used and given up', { timeout: 600_000 }, async () => {
  const person = new Heroku(cluster, 'person');
  const peer = person.next();
  const env = { ...(await person.env(peer)), HEROKU_NETRC_WRITE: 'true' };
  const { HEROKU_API_KEY: token = '', ...loggedOut } = env as Record<string, string>;
  {
    using terminal = openTerminal(PROGRAM, ['login', '-i'], loggedOut);
    await terminal.shows(/Email/);
    terminal.type('admin@ash\r');
    await terminal.shows(/Password/);
    terminal.type(`${token}\r`);
    await terminal.shows(/Logged in as admin@ash/);
    expect(await terminal.ended).toBe(0);
  }
  const netrc = readFileSync(join(person.home, '.netrc'), 'utf8');
  expect(netrc).toContain(new URL(peer.api).host);
  expect(netrc).not.toContain(token);
  const asPerson = { cwd: person.home, env: loggedOut, isBare: true };
  expect(must(await run(PROGRAM, ['auth:whoami'], asPerson)).stdout).toBe('admin@ash\n');
  must(await run(PROGRAM, ['auth:logout'], asPerson));
  expect((await run(PROGRAM, ['auth:whoami'], asPerson)).status).toBe(100);
  expect(await heroku.run('auth:whoami')).toBe('admin@ash\n');
});

test('what has no meaning here is an empty list or a sentence', async () => {
  expect(await heroku.run('sessions')).toContain('No OAuth sessions');
  expect(await heroku.run('clients')).toContain('No OAuth clients');
  expect((await heroku.try(['keys'])).stderr).toContain('no SSH keys');
  expect(await heroku.run('webhooks', '-a', APP)).toContain('has no webhooks');
  const refused = await heroku.fails(
    'webhooks:add',
    '-i',
    'api:dyno',
    '-l',
    'notify',
    '-u',
    'http://x',
    '-a',
    APP,
  );
  expect(refused).toEqual({ status: 2, said: expect.stringContaining('webhooks') });
});

test('an app is transferred to another user', async () => {
  await heroku.run('apps:transfer', BOB, '-a', APP);
  await heroku.shows(['apps:info', '-a', APP], /Owner: +bob@example\.com/);
});
