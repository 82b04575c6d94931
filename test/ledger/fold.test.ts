import { expect, test } from 'vitest';
import type { OpId } from '../../src/ids.ts';
import { restoreOps, emptyLogs } from '../../src/ledger/author-logs.ts';
import { decodeOp } from '../../src/ledger/codec.ts';
import { applyOps, emptyFold } from '../../src/ledger/fold.ts';
import {
  NOON,
  TestPeer,
  WEB,
  appId,
  cluster,
  clusterWithApp,
  createApp,
  deploy,
  setConfig,
  slugOf,
  sync,
} from './builders.ts';
import { canonicalView } from './canonical-view.ts';

type Pair = [TestPeer, TestPeer];
type Three = [TestPeer, TestPeer, TestPeer];

const YEAR_MS = 365 * 86_400_000;

function labels(peer: TestPeer, n = 1): string[] {
  const releases = [...peer.app(n).releases.values()].sort((a, b) => a.number - b.number);
  return releases.map(({ label, description }) => `${label} ${description}`);
}

test('a founded cluster has a name, a CA, a data key and its founder as member', () => {
  const [founder] = cluster(1) as [TestPeer];
  expect(founder.view).toMatchObject({ cluster: 'c'.repeat(26), clusterName: 'home', dataKey: 'k1' });
  expect(founder.view.ca?.cert).toBe('cert');
  expect([...founder.view.members.values()]).toMatchObject([{ peer: founder.id, state: 'member' }]);
});

test('ops wait for the admission of their author', () => {
  const [founder] = cluster(1) as [TestPeer];
  const stranger = new TestPeer(7);
  stranger.receive(founder.ops);
  stranger.write({ kind: 'token.create', token: 't', hash: 'h', user: 'u', description: '' });
  founder.receive(stranger.ops);
  expect([founder.view.tokens.size, founder.view.waiting]).toEqual([0, 1]);
  founder.run({ type: 'member.admit', peer: stranger.id, invite: null, name: 'new' });
  expect([founder.view.tokens.size, founder.view.waiting]).toEqual([1, 0]);
});

test('an op waits for parents that have not come, however far back', () => {
  const [a] = clusterWithApp(1) as [TestPeer];
  const before = [...a.ops];
  const later = ['1', '2', '3'].flatMap((value) => a.run(setConfig({ A: value })));
  const fold = applyOps(applyOps(emptyFold(), before), later.slice(1));
  expect(fold.view.waiting).toBe(2);
  expect(fold.view.apps.get(appId(1))?.releases.size).toBe(2);
  expect(canonicalView(applyOps(fold, later).view)).toBe(canonicalView(a.view));
});

test('both sides of a split release a v4 under one key each, and the merge holds both', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run(setConfig({ SHARED: 'x' }));
  sync(a, b);
  a.run(setConfig({ A: '1' }));
  b.run(setConfig({ B: '2' }));
  sync(a, b);
  for (const id of a.app().heads) expect(a.app().releases.get(id)?.label).toBe(`v4.${id.slice(0, 4)}`);
  a.run({ type: 'release.merge', app: appId(1) });
  b.receive(a.ops);
  expect(a.app().heads).toHaveLength(1);
  for (const peer of [a, b])
    expect(['SHARED', 'A', 'B'].map((key) => peer.config(key))).toEqual(['x', '1', '2']);
  expect(labels(b).at(-1)).toMatch(/^v5 Merge v4\.[a-z2-7]{4} and v4\.[a-z2-7]{4}$/);
});

test('two peers that both merge the same heads write one release', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run(setConfig({ A: '1' }));
  b.run(setConfig({ B: '2' }));
  sync(a, b);
  a.run({ type: 'release.merge', app: appId(1) });
  b.run({ type: 'release.merge', app: appId(1) });
  a.run(setConfig({ C: '3' }));
  sync(a, b);
  expect(a.app().heads).toHaveLength(1);
  expect(labels(a)).toHaveLength(6);
  expect(canonicalView(a.view)).toBe(canonicalView(b.view));
});

test('one request that two peers wrote on one release is one release', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run(setConfig({ A: '1' }), { request: 'r' });
  b.run(setConfig({ A: '1' }), { request: 'r' });
  b.run(setConfig({ B: '2' }));
  sync(a, b);
  expect(labels(a)).toEqual([
    'v1 Initial release',
    'v2 Enable Logplex',
    'v3 Set A config vars',
    'v4 Set B config vars',
  ]);
  expect(a.app().releases.get(a.app().heads[0] as never)?.label).toBe('v4');
});

test('a value from a clock in the far future loses to any later write', () => {
  const [a, b, c] = clusterWithApp(3) as Three;
  a.wall += 100 * YEAR_MS;
  a.run(setConfig({ KEY: 'from the future' }));
  sync(a, b, c);
  b.run(setConfig({ KEY: 'later' }));
  expect(b.config('KEY')).toBe('later');
  c.run(setConfig({ OTHER: 'x' }));
  sync(b, c);
  c.run({ type: 'release.merge', app: appId(1) });
  expect(c.config('KEY')).toBe('later');
});

test('an overwritten value does not come back through a branch that never saw the overwriting', () => {
  const [a, b, c] = clusterWithApp(3) as Three;
  a.wall += YEAR_MS;
  a.run(setConfig({ KEY: 'future' }));
  const fromA = [...a.ops];
  b.receive(fromA);
  b.run(setConfig({ KEY: 'overwritten' }));
  c.wall += 1_000;
  c.run(setConfig({ KEY: 'concurrent' }));
  sync(b, c);
  b.run({ type: 'release.merge', app: appId(1) });
  expect(b.config('KEY')).toBe('concurrent');
  a.run(setConfig({ OTHER: 'x' }));
  sync(a, b);
  b.run({ type: 'release.merge', app: appId(1) });
  expect(b.config('KEY')).toBe('concurrent');
});

test('an unset beats the older value of the other side', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run(setConfig({ KEY: 'old' }));
  sync(a, b);
  b.run(setConfig({ OTHER: 'x' }));
  a.run(setConfig({ KEY: null }));
  sync(a, b);
  a.run({ type: 'release.merge', app: appId(1) });
  expect(a.config('KEY')).toBeNull();
});

test('a merge takes the later deploy, and no config change undoes a deploy of the other side', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run(deploy('first'));
  sync(a, b);
  a.run(deploy('second'));
  b.wall += 1_000;
  b.run(setConfig({ A: '1' }));
  sync(a, b);
  a.run({ type: 'release.merge', app: appId(1) });
  expect(a.app().releases.get(a.app().current as never)?.slug?.id).toBe(slugOf('second').id);

  b.receive(a.ops);
  a.run(deploy('earlier'));
  b.wall += 1_000;
  b.run(deploy('later'));
  sync(a, b);
  b.run({ type: 'release.merge', app: appId(1) });
  expect(b.app().releases.get(b.app().current as never)?.slug?.id).toBe(slugOf('later').id);
});

test('two apps that got one name on two sides both live on, the later under a longer name', () => {
  const [a, b] = cluster(2) as Pair;
  a.run(createApp(1, 'blog'));
  b.wall += 1_000;
  b.run(createApp(2, 'blog'));
  sync(a, b);
  const longer = `blog-${appId(2).slice(0, 4)}`;
  expect(a.view.names).toEqual(
    new Map([
      ['blog', appId(1)],
      [longer, appId(2)],
    ]),
  );
  expect(a.app(2)).toMatchObject({ name: longer, wantedName: 'blog' });
  a.run({ type: 'app.destroy', app: appId(1) });
  b.receive(a.ops);
  expect(b.app(2).name).toBe('blog');
});

test('a domain that two apps got on two sides stays with the earlier', () => {
  const [a, b] = cluster(2) as Pair;
  a.run(createApp(1, 'blog'));
  a.run(createApp(2, 'shop'));
  sync(a, b);
  const add = (n: number) =>
    ({ type: 'domain.add', app: appId(n), hostname: 'www.example.com', domain: `d${n}` }) as const;
  b.wall += 1_000;
  a.run(add(1));
  b.run(add(2));
  sync(a, b);
  expect(b.view.domains).toEqual(new Map([['www.example.com', appId(1)]]));
  expect([a.app(1).domains.size, a.app(2).domains.size]).toEqual([1, 1]);
});

test('a destroyed app stays destroyed whatever comes later', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run({ type: 'app.destroy', app: appId(1) });
  b.wall += 1_000;
  b.run({ type: 'app.update', app: appId(1), name: 'other' });
  b.run(setConfig({ A: '1' }));
  sync(a, b);
  expect(a.app().destroyed).toBe(true);
  expect(a.view.names.size).toBe(0);
});

test('of two concurrent scalings the later counts, and one that saw both counts whatever its clock says', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run(deploy('s'));
  sync(a, b);
  const scale = (quantity: number) =>
    ({ type: 'formation.scale', app: appId(1), updates: [{ type: 'web', quantity }] }) as const;
  a.wall += YEAR_MS;
  a.run(scale(5));
  b.run(scale(3));
  sync(a, b);
  expect(b.app().formation.get(WEB)?.quantity).toBe(5);
  b.run(scale(2));
  sync(a, b);
  expect(a.app().formation.get(WEB)?.quantity).toBe(2);
});

test('an unknown kind is skipped and a flawed body quarantined, and what follows them applies', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  const unknown = a.write({ kind: 'app.sing' });
  const flawed = a.write({ kind: 'release' }, [unknown.id]);
  a.write({ kind: 'token.create', token: 't', hash: 'h', user: 'u', description: '' }, [flawed.id]);
  b.receive(a.ops);
  expect(b.view.tokens.has('t')).toBe(true);
  expect([...b.view.quarantined.keys()]).toEqual([flawed.id]);
  expect(b.view.quarantined.get(flawed.id)).toMatch(/^release: /);
  expect(b.view.waiting).toBe(0);
});

test('a config key that an object cannot hold is dropped, and harms nothing', () => {
  const [a] = clusterWithApp(1) as [TestPeer];
  const release = a.app().releases.get(a.app().current as never);
  a.write(
    {
      kind: 'release',
      app: appId(1),
      cause: 'config',
      description: '',
      user: 'u',
      slug: null,
      config: JSON.parse('{"__proto__":null,"A":null}') as Record<string, null>,
      request: null,
    },
    [release?.op as OpId],
  );
  const written = a.app().releases.get(a.app().current as never);
  expect([...(written?.config.keys() ?? [])]).toEqual(['A']);
});

test('an op that crashed the agent is skipped without being looked at', () => {
  const [a] = clusterWithApp(1) as [TestPeer];
  const [op] = a.run(setConfig({ A: '1' }));
  const fold = applyOps(emptyFold(new Map([[op?.id as OpId, 'was being applied at two crashes']])), a.ops);
  expect(fold.view.quarantined.get(op?.id as OpId)).toBe('was being applied at two crashes');
  expect(fold.view.apps.get(appId(1))?.releases.size).toBe(2);
});

test('what a removed peer writes after its cut is ignored, also where it came before the removal', () => {
  const [a, b, c] = clusterWithApp(3) as Three;
  b.run(setConfig({ B: 'before' }));
  sync(a, b, c);
  a.run({ type: 'member.remove', peer: b.id });
  b.run(setConfig({ B: 'after' }));
  c.receive(b.ops);
  expect(c.config('B')).toBe('after');
  sync(a, c);
  for (const peer of [a, c]) {
    expect(peer.config('B')).toBe('before');
    expect(peer.view.members.get(b.id)?.state).toBe('removed');
    expect(peer.view.waiting).toBe(0);
  }
  expect(canonicalView(a.view)).toBe(canonicalView(c.view));
});

test('what others built on a removed peer stays, with its number', () => {
  const [a, b, c] = clusterWithApp(3) as Three;
  a.run({ type: 'member.remove', peer: b.id });
  b.run(setConfig({ B: '1' }));
  c.receive(b.ops);
  c.run(setConfig({ C: '2' }));
  const [before] = c.app().heads;
  sync(a, c);
  expect(a.app().heads).toEqual([before]);
  expect([a.config('B'), a.config('C'), a.app().releases.size]).toEqual(['1', '2', 4]);
});

test('a peer that is admitted again is a member with all it wrote', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run({ type: 'member.remove', peer: b.id });
  b.run(setConfig({ B: '1' }));
  a.receive(b.ops);
  expect(a.config('B')).toBeNull();
  a.run({ type: 'member.admit', peer: b.id, invite: null, name: 'again' });
  expect(a.config('B')).toBe('1');
  expect(a.view.members.get(b.id)).toMatchObject({ state: 'member', name: 'again' });
});

test('of two peers that remove each other the one closer to the founder stays', () => {
  const [a, b, c] = clusterWithApp(3) as Three;
  b.wall -= YEAR_MS;
  b.run({ type: 'member.remove', peer: a.id });
  a.run({ type: 'member.remove', peer: b.id });
  sync(a, b, c);
  expect(c.view.members.get(a.id)?.state).toBe('member');
  expect(c.view.members.get(b.id)?.state).toBe('removed');
});

test('a removed peer admits nobody', () => {
  const [a, b] = clusterWithApp(2) as Pair;
  const friend = new TestPeer(9);
  a.run({ type: 'member.remove', peer: b.id });
  b.run({ type: 'member.admit', peer: friend.id, invite: null, name: 'friend' });
  sync(a, b);
  expect(a.view.members.has(friend.id)).toBe(false);
  expect(canonicalView(a.view)).toBe(canonicalView(b.view));
});

test('an invite is used by the first that it admitted', () => {
  const [a] = cluster(1) as [TestPeer];
  const guest = new TestPeer(5);
  a.run({ type: 'invite.create', invite: 'i', secretHash: 'h', expiresAt: NOON });
  expect(a.view.invites.get('i')?.usedBy).toBeNull();
  a.run({ type: 'member.admit', peer: guest.id, invite: 'i', name: 'guest' });
  expect(a.view.invites.get('i')?.usedBy).toBe(guest.id);
});

test('a token is revoked for good, also when its creation comes later', () => {
  const [a] = cluster(1) as [TestPeer];
  a.write({ kind: 'token.revoke', token: 't' });
  a.run({
    type: 'token.create',
    token: 't',
    hash: 'h',
    user: 'u',
    description: '',
    scopes: ['global'],
    expiresAt: null,
    role: null,
  });
  expect(a.view.tokens.get('t')?.revoked).toBe(true);
});

test('10,000 ops are replayed from their bytes, at once and one by one', () => {
  const [a] = clusterWithApp(1) as [TestPeer];
  while (a.ops.length < 10_000) {
    const at = a.ops.length;
    a.run(setConfig({ [`KEY_${at % 20}`]: `value ${at}` }), { request: `request ${at}` });
  }
  const ops = a.ops.map(({ bytes }) => decodeOp(bytes));
  const logs = restoreOps(emptyLogs(), ops);
  const whole = applyOps(emptyFold(), ops);
  expect(logs.get(`${a.id}/${a.epoch}`)?.height).toBe(9_999);
  expect(whole.view.apps.get(appId(1))?.releases.size).toBe(9_997);
  expect(whole.view.apps.get(appId(1))?.releases.get(a.app().current as never)?.number).toBe(9_997);
  expect(a.config('KEY_1')).toBe('value 9981');
  expect(whole.view.requests.size).toBe(a.view.requests.size);
});
