import { expect, test } from 'vitest';
import { PERMISSIONS } from '../../src/rights.ts';
import type { Role } from '../../src/rights.ts';
import { homeKey } from '../../src/ledger/home.ts';
import { EVE } from './access-history.ts';
import { appId, clusterWithApp, refusal, sync } from './builders.ts';
import type { TestPeer } from './builders.ts';

const APP = appId(1);

function two(): [TestPeer, TestPeer] {
  const [a, b] = clusterWithApp(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  return [a, b];
}

function makeToken(peer: TestPeer, token: string, user: string, role: Role | null = null): void {
  const fields = { hash: `hash of ${token}`, description: '', scopes: ['global'], expiresAt: null } as const;
  peer.run({ type: 'token.create', token, user, role, ...fields });
}

const roleAt = (peer: TestPeer, user = EVE): Role | null => peer.view.users.get(user)?.role ?? null;

test('whoever has a token from before there were roles is an admin until somebody says what they are', () => {
  const [peer] = two();
  peer.write({ kind: 'token.create', token: 'old', hash: 'h', user: 'Eve@example.com', description: '' });
  expect(roleAt(peer)).toBe('admin');
  peer.run({ type: 'user.set', user: 'ada@example.com', role: 'admin' });
  peer.run({ type: 'user.set', user: EVE, role: 'viewer' });
  expect(roleAt(peer)).toBe('viewer');
});

test('an older token that is revoked takes its role along, unless a later one was made', () => {
  const [peer] = two();
  const old = { kind: 'token.create', hash: 'h', description: '' } as const;
  peer.write({ ...old, token: 'old 1', user: 'bob@example.com' });
  peer.write({ ...old, token: 'old 2', user: EVE });
  makeToken(peer, 'new', EVE);
  peer.run({ type: 'token.revoke', token: 'old 1' });
  peer.run({ type: 'token.revoke', token: 'old 2' });
  expect([roleAt(peer, 'bob@example.com'), roleAt(peer)]).toEqual([null, 'admin']);
});

test('a token and the role of its user are written together; one without leaves the role', () => {
  const [peer] = two();
  makeToken(peer, 't1', EVE, 'member');
  makeToken(peer, 't2', EVE);
  expect(roleAt(peer)).toBe('member');
  makeToken(peer, 't3', 'Eve@Example.com', 'viewer');
  expect(roleAt(peer)).toBe('viewer');
});

test('who is removed keeps no role, token or permission, but the apps that are theirs', () => {
  const [peer] = two();
  makeToken(peer, 't1', 'Eve@Example.com', 'member');
  peer.run({ type: 'app.create', app: appId(2), name: 'shop', fallbackName: 'x' }, { user: EVE });
  peer.run({ type: 'collaborator.set', app: APP, user: EVE, permissions: ['deploy'] });
  peer.run({ type: 'user.set', user: EVE, role: null });
  expect(roleAt(peer)).toBeNull();
  expect(peer.view.tokens.get('t1')?.revoked).toBe(true);
  expect(peer.app().collaborators.size).toBe(0);
  expect(peer.app(2).owner).toBe(EVE);
});

test('the last admin stays one', () => {
  const [peer] = two();
  peer.run({ type: 'user.set', user: 'ada@example.com', role: 'admin' });
  peer.run({ type: 'user.set', user: EVE, role: 'member' });
  for (const role of ['member', null] as const) {
    const decision = peer.decide({ type: 'user.set', user: 'Ada@example.com', role });
    expect(refusal(decision).message).toMatch(/no other admin/);
  }
  const lesser = { type: 'token.create', token: 't9', hash: 'h9', description: '', role: 'member' } as const;
  const token = { ...lesser, user: 'ada@example.com', scopes: ['global'], expiresAt: null } as const;
  expect(refusal(peer.decide(token)).message).toMatch(/no other admin/);
  peer.run({ type: 'user.set', user: EVE, role: 'admin' });
  expect(peer.decide({ type: 'user.set', user: 'ada@example.com', role: 'viewer' }).ok).toBe(true);
});

test('who takes roles from whom is decided at one place', () => {
  const [{ view }] = two();
  const keys = [EVE, 'ada@example.com'].map((user) => homeKey(view, { type: 'user.set', user, role: null }));
  expect(keys[0]).not.toBeNull();
  expect(keys[0]).toBe(keys[1]);
});

test('permissions are complete and in order, and saying them again writes nothing', () => {
  const [peer] = two();
  peer.run({
    type: 'collaborator.set',
    app: APP,
    user: 'Eve@example.com',
    permissions: ['manage', 'deploy'],
  });
  expect(peer.app().collaborators.get(EVE)?.permissions).toEqual(['view', 'deploy', 'manage']);
  const again = peer.decide({
    type: 'collaborator.set',
    app: APP,
    user: EVE,
    permissions: ['deploy', 'view', 'manage'],
  });
  expect(again).toMatchObject({ ok: true, drafts: [] });
  const owner = peer.decide({
    type: 'collaborator.set',
    app: APP,
    user: 'ada@example.com',
    permissions: null,
  });
  expect(refusal(owner).code).toBe('invalid_params');
});

test('permissions and roles that only newer agents know are none here', () => {
  const [peer] = two();
  const grant = { kind: 'collaborator.set', app: APP, user: EVE, permissions: ['fly', 'deploy'] };
  peer.write(grant);
  expect(peer.app().collaborators.get(EVE)?.permissions).toEqual(['view', 'deploy']);
  const crowned = { kind: 'user.set', user: EVE, role: 'emperor' };
  peer.write(crowned);
  expect(roleAt(peer)).toBeNull();
  expect(peer.view.quarantined.size).toBe(0);
});

test('a new owner is no collaborator any more, and the former one is', () => {
  const [peer] = two();
  peer.run({ type: 'collaborator.set', app: APP, user: EVE, permissions: PERMISSIONS });
  peer.run({ type: 'app.transfer', app: APP, to: EVE });
  expect(peer.app().owner).toBe(EVE);
  expect([...peer.app().collaborators.values()]).toMatchObject([
    { user: 'ada@example.com', permissions: ['view', 'deploy', 'operate'] },
  ]);
});

test('two sides of a split that say different things of a user agree after it, and a later word wins', () => {
  const [a, b] = two();
  a.run({ type: 'user.set', user: 'ada@example.com', role: 'admin' });
  makeToken(a, 't1', EVE, 'member');
  sync(a, b);
  a.run({ type: 'user.set', user: EVE, role: 'viewer' });
  b.run({ type: 'user.set', user: EVE, role: 'admin' });
  a.run({ type: 'collaborator.set', app: APP, user: EVE, permissions: ['deploy'] });
  b.run({ type: 'collaborator.set', app: APP, user: EVE, permissions: null });
  b.run({ type: 'token.update', token: 't1', hash: 'another' });
  a.run({ type: 'token.revoke', token: 't1' });
  sync(a, b);
  expect(a.view.users).toEqual(b.view.users);
  expect(a.app().collaborators).toEqual(b.app().collaborators);
  expect(b.view.tokens.get('t1')).toMatchObject({ hash: 'another', revoked: true });
  b.wall -= 1_000_000;
  b.run({ type: 'user.set', user: EVE, role: 'collaborator' });
  sync(a, b);
  expect(roleAt(a)).toBe('collaborator');
});

test('a removal takes what was given on the other side of a split back with one more', () => {
  const [a, b] = two();
  a.run({ type: 'user.set', user: 'ada@example.com', role: 'admin' });
  makeToken(a, 't1', EVE, 'member');
  sync(a, b);
  a.run({ type: 'user.set', user: EVE, role: null });
  makeToken(b, 't2', EVE);
  sync(a, b);
  // The token lives, but its user is nobody: at most what they own is open to it.
  expect([roleAt(b), b.view.tokens.get('t2')?.revoked]).toEqual([null, false]);
  b.run({ type: 'user.set', user: EVE, role: null });
  expect(b.view.tokens.get('t2')?.revoked).toBe(true);
});
