import { expect, test } from 'vitest';
import type { AppId, ProcessType, ReleaseId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { SLUGS_IN_REACH } from '../../src/ledger/reach.ts';
import { requestMark } from '../../src/ledger/request-stamp.ts';
import {
  NOON,
  TestPeer,
  WEB,
  appId,
  cluster,
  clusterWithApp,
  createApp,
  deploy,
  refusal,
  setConfig,
  slugOf,
  sync,
} from './builders.ts';

function newest(peer: TestPeer) {
  const release = peer.app().releases.get(peer.app().current as ReleaseId);
  if (release === undefined) throw new Error('No release');
  return release;
}

function release(peer: TestPeer, label: string): ReleaseId {
  const found = [...peer.app().releases.values()].find((release) => release.label === label);
  if (found === undefined) throw new Error(`No ${label}`);
  return found.id;
}

function scale(...updates: Extract<Command, { type: 'formation.scale' }>['updates']): Command {
  return { type: 'formation.scale', app: appId(1), updates };
}

function formation(peer: TestPeer): Record<string, string> {
  return Object.fromEntries(
    [...peer.app().formation.values()].map(({ type, quantity, size }) => [type, `${quantity} ${size}`]),
  );
}

function onePeer(): TestPeer {
  return clusterWithApp(1)[0] as TestPeer;
}

test('a new app has the two releases that Heroku gives it', () => {
  const peer = onePeer();
  const texts = [...peer.app().releases.values()].map(({ label, description }) => `${label} ${description}`);
  expect(texts).toEqual(['v1 Initial release', 'v2 Enable Logplex']);
  expect(peer.app()).toMatchObject({ name: 'blog', owner: 'ada@example.com', maintenance: false });
});

test.each([
  ['ab', 'Name is too short (minimum is 3 characters)'],
  ['a'.repeat(31), 'Name is too long (maximum is 30 characters)'],
  [
    'My_App',
    'Name must start with a letter, end with a letter or digit and can only contain lowercase letters, digits, and dashes',
  ],
  ['blog', 'Name blog is already taken'],
])('an app cannot be named "%s"', (name, message) => {
  expect(refusal(onePeer().decide(createApp(2, name)))).toMatchObject({ code: 'invalid_params', message });
});

test('an app without a name gets the fallback', () => {
  const [peer] = cluster(1) as [TestPeer];
  peer.run({ type: 'app.create', app: appId(1), name: null, fallbackName: 'quiet-fog-1' });
  expect(peer.app().name).toBe('quiet-fog-1');
});

test.each<Command>([
  { type: 'app.update', app: appId(9), maintenance: true },
  { type: 'app.destroy', app: appId(9) },
  setConfig({ A: '1' }, 9),
  deploy('s', 9),
  { type: 'release.rollback', app: appId(9), to: 'r' as ReleaseId },
  { type: 'formation.scale', app: appId(9), updates: [] },
  { type: 'domain.add', app: appId(9), hostname: 'www.example.com', domain: 'd' },
  { type: 'buildpacks.set', app: appId(9), buildpacks: [] },
])('$type of an app that is not there is a 404', (command) => {
  expect(refusal(onePeer().decide(command))).toEqual({
    code: 'not_found',
    message: "Couldn't find that app.",
    resource: 'app',
  });
});

test('a destroyed app is gone, and its name is free again', () => {
  const peer = onePeer();
  peer.run({ type: 'app.destroy', app: appId(1) });
  expect(refusal(peer.decide(setConfig({ A: '1' }))).code).toBe('not_found');
  expect(peer.decide(createApp(2, 'blog')).ok).toBe(true);
});

test('config releases say what they did', () => {
  const peer = onePeer();
  peer.run(setConfig({ A: '1', B: '2' }));
  expect(newest(peer)).toMatchObject({ label: 'v3', description: 'Set A, B config vars' });
  peer.run(setConfig({ C: '3', A: null }));
  expect(newest(peer).description).toBe('Set C, remove A config vars');
  peer.run(setConfig({ B: null }));
  expect(newest(peer).description).toBe('Remove B config vars');
  expect([peer.config('A'), peer.config('B'), peer.config('C')]).toEqual([null, null, '3']);
});

test('a config patch that changes nothing makes no release', () => {
  const peer = onePeer();
  peer.run(setConfig({ A: '1' }));
  expect(peer.decide(setConfig({ A: '1', GONE: null }))).toEqual({ ok: true, drafts: [], repeats: null });
  expect(peer.decide(setConfig({}))).toMatchObject({ drafts: [] });
});

test.each(['1A', 'A-B', '', '__proto__'])('"%s" is no config var name', (key) => {
  const config = Object.fromEntries([[key, new Uint8Array(1)]]);
  const decision = onePeer().decide({ type: 'config.patch', app: appId(1), config });
  expect(refusal(decision)).toMatchObject({ code: 'invalid_params' });
});

test('config vars past what a release can hold are refused', () => {
  const patch = setConfig({ A: 'x'.repeat(130_000), B: 'y'.repeat(2_000) });
  expect(refusal(onePeer().decide(patch)).message).toMatch(/at most 131072 fit/);
});

test('a description of very many keys is shortened, and the release readable', () => {
  const peer = onePeer();
  const keys = Array.from({ length: 500 }, (_, n) => [`SOME_LONG_NAME_${n}`, 'v']);
  peer.run(setConfig(Object.fromEntries(keys)));
  expect(newest(peer).description).toMatch(/^Set SOME_LONG_NAME_0, .*…$/);
  expect(newest(peer).config.size).toBe(500);
});

test('the first deploy starts one web dyno, and later ones stop types that are gone', () => {
  const peer = onePeer();
  peer.run(deploy('one', 1, { web: 'a', worker: 'b' }));
  expect(newest(peer).description).toBe(`Deploy ${slugOf('one').commit?.slice(0, 8)}`);
  expect(formation(peer)).toEqual({ web: '1 Basic' });
  peer.run(scale({ type: 'web', quantity: 3 }, { type: 'worker', quantity: 2, size: 'performance-m' }));
  peer.run(deploy('two', 1, { web: 'a' }));
  expect(formation(peer)).toEqual({ web: '3 Basic', worker: '0 Performance-M' });
});

test('a first deploy without a web type starts nothing', () => {
  const peer = onePeer();
  peer.run(deploy('one', 1, { worker: 'b' }));
  expect(formation(peer)).toEqual({});
});

test('scaling takes numbers, differences and sizes in any case, and writes only what changes', () => {
  const peer = onePeer();
  peer.run(deploy('one'));
  peer.run(scale({ type: 'web', by: 2, size: 'standard-2x' }));
  expect(formation(peer)).toEqual({ web: '3 Standard-2X' });
  expect(peer.decide(scale({ type: 'web', quantity: 3, size: 'STANDARD-2X' }))).toMatchObject({ drafts: [] });
  peer.run(scale({ type: 'web', by: -3 }));
  expect(formation(peer)).toEqual({ web: '0 Standard-2X' });
});

test.each([
  [{ type: 'web', quantity: 101 }, 'invalid_params', /between 0 and 100/],
  [{ type: 'web', by: -2 }, 'invalid_params', /to -1: a quantity is between/],
  [{ type: 'web', quantity: 1.5 }, 'invalid_params', /between 0 and 100/],
  [{ type: 'web', size: 'huge' }, 'invalid_params', /^No such size as huge\. Use eco, basic,/],
  [{ type: 'cron', quantity: 1 }, 'not_found', /^Couldn't find that process type \(cron\)\.$/],
  [{ type: 'constructor', quantity: 1 }, 'not_found', /process type/],
])('scaling by %o is refused', (update, code, message) => {
  const peer = onePeer();
  peer.run(deploy('one'));
  const refused = refusal(peer.decide(scale(update)));
  expect(refused.code).toBe(code);
  expect(refused.message).toMatch(message);
});

test('a rollback to a slug that is not kept any more is refused, and one to the oldest that is, is not', () => {
  const peer = onePeer();
  for (let n = 1; n <= SLUGS_IN_REACH + 1; n += 1) peer.run(deploy(`slug ${n}`));
  const to = (label: string): Command => ({
    type: 'release.rollback',
    app: appId(1),
    to: release(peer, label),
  });
  expect(refusal(peer.decide(to('v3')))).toMatchObject({
    code: 'invalid_params',
    message: 'Cannot roll back "blog" to v3: its slug is not kept any more, as 20 others were deployed since',
  });
  expect(peer.decide(to('v4')).ok).toBe(true);
});

test('a rollback restores slug and config of its target', () => {
  const peer = onePeer();
  peer.run(setConfig({ A: '1', B: '1' }));
  peer.run(deploy('one'));
  peer.run(setConfig({ A: '2', B: null, C: '2' }));
  peer.run(deploy('two', 1, { worker: 'b' }));
  const [op] = peer.run({ type: 'release.rollback', app: appId(1), to: release(peer, 'v4') });
  expect(newest(peer)).toMatchObject({
    op: op?.id,
    label: 'v7',
    description: 'Rollback to v4',
    cause: 'rollback',
  });
  expect(newest(peer).slug).toEqual(slugOf('one'));
  expect(['A', 'B', 'C'].map((key) => peer.config(key))).toEqual(['1', '1', null]);
});

test('only a release with a slug can be rolled back to', () => {
  const peer = onePeer();
  const to = release(peer, 'v1');
  expect(refusal(peer.decide({ type: 'release.rollback', app: appId(1), to }))).toMatchObject({
    code: 'invalid_params',
    message: 'Cannot roll back "blog" to v1: it has no slug',
  });
  const none = 'none' as ReleaseId;
  expect(refusal(peer.decide({ type: 'release.rollback', app: appId(1), to: none }))).toEqual({
    code: 'not_found',
    message: "Couldn't find that release.",
    resource: 'release',
  });
});

test('there is nothing to merge where there is one head', () => {
  expect(refusal(onePeer().decide({ type: 'release.merge', app: appId(1) }))).toMatchObject({
    code: 'conflict',
  });
});

test('a user who acts after a split joins both sides without a merge', () => {
  const [a, b] = clusterWithApp(2) as [TestPeer, TestPeer];
  a.run(setConfig({ A: '1' }));
  b.run(setConfig({ B: '1' }));
  sync(a, b);
  a.run(setConfig({ C: '1' }));
  expect(newest(a)).toMatchObject({ label: 'v4', description: 'Set C config vars' });
  expect(newest(a).parents).toHaveLength(2);
  expect(['A', 'B', 'C'].map((key) => a.config(key))).toEqual(['1', '1', '1']);
});

test('a repeated request is the write it was, at any peer that knows it', () => {
  const [a, b] = clusterWithApp(2) as [TestPeer, TestPeer];
  const [create] = a.run(createApp(2, 'shop'), { request: 'r1' });
  const [patch] = a.run(setConfig({ A: '1' }), { request: 'r2' });
  const [pushed] = a.run(deploy('one'), { request: 'r3'.repeat(200) });
  sync(a, b);
  expect(b.decide(createApp(3, 'shop'), { request: 'r1' })).toEqual({
    ok: true,
    drafts: [],
    repeats: create?.id,
  });
  expect(b.decide(setConfig({ A: '1' }), { request: 'r2' })).toMatchObject({ repeats: patch?.id });
  expect(b.decide(deploy('one'), { request: 'r3'.repeat(200) })).toMatchObject({ repeats: pushed?.id });
  expect(b.view.requests.get('r2')).toBe(patch?.id);
});

test('any write is known by the request that it was made for', () => {
  const [a, b] = clusterWithApp(2) as [TestPeer, TestPeer];
  const more = { type: 'formation.scale', app: appId(1), updates: [{ type: 'web', by: 1 }] } as const;
  a.run(deploy('one'));
  const [scaled] = a.run(more, { request: 'r1' });
  sync(a, b);
  expect(b.decide(more, { request: 'r1' })).toEqual({ ok: true, drafts: [], repeats: scaled?.id });
  expect(b.view.requests.get(requestMark('r1', 'ada@example.com'))).toBe(scaled?.id);
  for (const context of [{ request: 'r2' }, { request: 'r1', user: 'bob@example.com' }]) {
    expect(b.decide(more, context)).toMatchObject({ drafts: [{}], repeats: null });
  }
});

test('one client request may make several writes', () => {
  const peer = onePeer();
  peer.run(createApp(2, 'shop'), { request: 'r' });
  peer.run(setConfig({ A: '1' }, 2), { request: 'r' });
  peer.run(setConfig({ A: '1' }, 1), { request: 'r' });
  peer.run(deploy('one', 2), { request: 'r' });
  expect([peer.config('A', 1), peer.config('A', 2), peer.app(2).releases.size]).toEqual(['1', '1', 4]);
});

test('an app is renamed to a free name, and no op is written for what is so already', () => {
  const peer = onePeer();
  peer.run(createApp(2, 'shop'));
  expect(refusal(peer.decide({ type: 'app.update', app: appId(1), name: 'shop' })).message).toBe(
    'Name shop is already taken',
  );
  peer.run({ type: 'app.update', app: appId(1), features: { one: true, two: true } });
  peer.run({ type: 'app.update', app: appId(1), features: { one: false } });
  expect([...peer.app().features]).toEqual(['two']);
  expect(
    peer.decide({ type: 'app.update', app: appId(1), features: { one: false, two: true } }),
  ).toMatchObject({
    drafts: [],
  });
  peer.run({ type: 'app.update', app: appId(1), name: 'diary', maintenance: true });
  expect(peer.app()).toMatchObject({ name: 'diary', maintenance: true });
  expect(peer.decide({ type: 'app.update', app: appId(1), name: 'diary', maintenance: true })).toMatchObject({
    drafts: [],
  });
});

test.each(['localhost', 'a b.example.com', '-a.example.com', '10.0.0.1', '*.com', `${'a.'.repeat(130)}com`])(
  '"%s" is no domain',
  (hostname) => {
    const decision = onePeer().decide({ type: 'domain.add', app: appId(1), hostname, domain: 'd' });
    expect(refusal(decision).code).toBe('invalid_params');
  },
);

test('a domain belongs to one app, in lower case, until it is removed', () => {
  const peer = onePeer();
  peer.run(createApp(2, 'shop'));
  const add = (n: number): Command => ({
    type: 'domain.add',
    app: appId(n),
    hostname: 'WWW.Example.com',
    domain: 'd',
  });
  peer.run(add(1));
  expect(peer.view.domains.get('www.example.com')).toBe(appId(1));
  expect(refusal(peer.decide(add(2))).message).toBe('www.example.com is currently in use by another app.');
  expect(refusal(peer.decide(add(1))).code).toBe('invalid_params');
  peer.run({ type: 'domain.remove', app: appId(1), hostname: 'www.example.com' });
  expect(
    refusal(peer.decide({ type: 'domain.remove', app: appId(1), hostname: 'www.example.com' })),
  ).toMatchObject({
    code: 'not_found',
    resource: 'domain',
  });
  peer.run(add(2));
  expect(peer.view.domains.get('www.example.com')).toBe(appId(2));
});

test('a build is recorded with the release it made', () => {
  const peer = onePeer();
  peer.run(deploy('one'));
  peer.run({
    type: 'build.record',
    app: appId(1),
    build: 'b1',
    status: 'succeeded',
    commit: null,
    buildpacks: ['node'],
    output: null,
    release: newest(peer).id,
    startedAt: NOON,
  });
  expect(peer.app().builds.get('b1')).toMatchObject({ release: newest(peer).id, createdAt: NOON });
});

test('a restart is asked of what the formation has', () => {
  const peer = onePeer();
  peer.run(deploy('one'));
  const restart = (process: string | null, index: number | null): Command => ({
    type: 'formation.restart',
    app: appId(1),
    process: process as ProcessType | null,
    index,
  });
  const [op] = peer.run(restart('web', 1));
  expect(peer.app().restarts).toEqual(new Map([['web.1', op?.id]]));
  expect(refusal(peer.decide(restart('cron', null)))).toMatchObject({ resource: 'process_type' });
  expect(refusal(peer.decide(restart('web', 2)))).toMatchObject({ resource: 'dyno' });
});

test('a peer is admitted by an open invite, once', () => {
  const [peer] = cluster(1) as [TestPeer];
  const [guest, other] = [new TestPeer(5), new TestPeer(6)];
  const admit = (who: TestPeer): Command => ({ type: 'member.admit', peer: who.id, invite: 'i', name: 'x' });
  expect(refusal(peer.decide(admit(guest))).code).toBe('bad_invite');
  peer.run({ type: 'invite.create', invite: 'i', secretHash: 'h', expiresAt: NOON });
  peer.run(admit(guest));
  expect(peer.decide(admit(guest))).toMatchObject({ drafts: [] });
  expect(refusal(peer.decide(admit(other))).code).toBe('bad_invite');
});

test('the last member cannot be removed, nor one that is not there', () => {
  const [a, b] = cluster(2) as [TestPeer, TestPeer];
  a.run({ type: 'member.remove', peer: b.id });
  expect(refusal(a.decide({ type: 'member.remove', peer: b.id }))).toMatchObject({ resource: 'peer' });
  expect(refusal(a.decide({ type: 'member.remove', peer: a.id })).code).toBe('invalid_params');
});

test('a cluster is founded once', () => {
  const [peer] = cluster(1) as [TestPeer];
  const again = {
    type: 'cluster.found',
    name: '',
    peer: peer.id,
    caCert: '',
    caKey: new Uint8Array(),
    key: '',
  };
  expect(refusal(peer.decide(again as Command)).code).toBe('conflict');
});

test('what every peer would quarantine is not written', () => {
  const [peer] = cluster(1) as [TestPeer];
  const command: Command = { type: 'app.create', app: 'no uuid' as AppId, name: 'blog', fallbackName: 'x' };
  expect(refusal(peer.decide(command))).toMatchObject({ code: 'invalid_params' });
  expect(WEB).toBe('web');
});
