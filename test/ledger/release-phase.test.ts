import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReleaseId } from '../../src/ids.ts';
import { applyOps, emptyFold } from '../../src/ledger/fold.ts';
import { dueReleases } from '../../src/ledger/releases/release-status.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import { addonId, attach, createAddon, sealedConfig, settleAddon, syncAddon } from './addon-builders.ts';
import { appId, clusterWithApp, sealed, slugOf, sync, unsealed } from './builders.ts';
import type { TestPeer } from './builders.ts';
import { canonicalView } from './canonical-view.ts';

const APP = appId(1);
const WITH_RELEASE = { web: 'node .', release: 'migrate' };

function deploy(peer: TestPeer, text: string, types: Record<string, string> = WITH_RELEASE): Release {
  peer.run({ type: 'release.deploy', app: APP, slug: slugOf(text, types), description: '' });
  return newest(peer);
}

function set(peer: TestPeer, key: string, value: string): Release {
  peer.run({ type: 'config.patch', app: APP, config: { [key]: sealed(value) } });
  return newest(peer);
}

function settle(peer: TestPeer, release: ReleaseId, status: 'succeeded' | 'failed'): void {
  const slug = peer.app().releases.get(release)?.slug?.id;
  if (slug === undefined) throw new Error('It has no slug');
  peer.run({ type: 'release.settle', app: APP, release, slug, status, output: null, reason: null });
}

function newest(peer: TestPeer): Release {
  const release = peer.app().releases.get(peer.app().heads[0] as ReleaseId);
  if (release === undefined) throw new Error('No release');
  return release;
}

function current(peer: TestPeer): Release | undefined {
  return peer.app().releases.get(peer.app().current as ReleaseId);
}

function onePeer(): TestPeer {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('No peer');
  return peer;
}

test('a release whose slug declares a release command is listed, and current only when that has succeeded', () => {
  const peer = onePeer();
  const before = peer.app().current;
  const made = deploy(peer, 'one');
  expect(made.status).toBe('pending');
  expect(peer.app().current).toBe(before);
  expect([...peer.app().formation.keys()]).toEqual([]);
  settle(peer, made.id, 'succeeded');
  expect(current(peer)?.id).toBe(made.id);
  expect([...peer.app().formation.values()]).toMatchObject([{ type: 'web', quantity: 1 }]);
});

test('a failed deploy leaves what runs alone, and no later config change brings its code in', () => {
  const peer = onePeer();
  deploy(peer, 'good', { web: 'x', worker: 'y' });
  peer.run({ type: 'formation.scale', app: APP, updates: [{ type: 'worker', quantity: 2 }] });
  const bad = deploy(peer, 'bad');
  settle(peer, bad.id, 'failed');
  expect(current(peer)?.slug?.id).toBe(slugOf('good').id);
  expect(peer.app().formation.get('worker' as never)?.quantity).toBe(2);
  set(peer, 'A', '1');
  expect(current(peer)).toMatchObject({
    cause: 'config',
    status: 'succeeded',
    slug: { id: slugOf('good').id },
  });
});

test('a config var stays set though the release command that it caused failed', () => {
  const peer = onePeer();
  settle(peer, deploy(peer, 'one').id, 'succeeded');
  const running = peer.app().current;
  settle(peer, set(peer, 'A', '1').id, 'failed');
  expect(peer.app().current).toBe(running);
  expect(unsealed(peer.app().config.get('A')?.value)).toBe('1');
  const next = set(peer, 'B', '2');
  expect([...next.config.keys()].sort()).toEqual(['A', 'B']);
});

test('the release command runs for an add-on that comes or goes, with its values, and not for other values of it', () => {
  const peer = onePeer();
  settle(peer, deploy(peer, 'one').id, 'succeeded');
  peer.run(createAddon(1));
  peer.run(settleAddon(1, 'provisioned'));
  // Attached, and without values so far: there is nothing that the command could use.
  expect(newest(peer)).toMatchObject({ cause: 'addon', status: 'succeeded' });
  peer.run(syncAddon(peer));
  expect(newest(peer)).toMatchObject({ cause: 'addon', status: 'pending' });
  expect(unsealed(newest(peer).config.get('REDIS_URL')?.value)).toBe('redis://1');
  settle(peer, newest(peer).id, 'failed');
  expect(current(peer)?.config.has('REDIS_URL')).toBe(false);

  const config = sealedConfig({ REDIS_URL: 'redis://new' });
  peer.run({ type: 'addon.config', app: APP, addon: addonId(1), config });
  peer.run(syncAddon(peer));
  expect(newest(peer)).toMatchObject({ cause: 'addon', status: 'succeeded' });
  expect(unsealed(current(peer)?.config.get('REDIS_URL')?.value)).toBe('redis://new');

  peer.run(attach(peer, 1, 1, 'CACHE'));
  expect(newest(peer)).toMatchObject({
    description: 'Attach CACHE (@ref:acme-redis-flat-1)',
    status: 'pending',
  });
  settle(peer, newest(peer).id, 'succeeded');
  peer.run({ type: 'addon.destroy', app: APP, addon: addonId(1), force: false, reason: null });
  expect(newest(peer)).toMatchObject({ cause: 'addon', status: 'pending' });
  settle(peer, newest(peer).id, 'succeeded');
  expect(unsealed(current(peer)?.config.get('CACHE_URL')?.value)).toBe(null);
});

test('what an older agent wrote of an add-on runs no release command', () => {
  const peer = onePeer();
  settle(peer, deploy(peer, 'one').id, 'succeeded');
  const body = {
    kind: 'release',
    app: APP,
    cause: 'addon',
    description: '',
    user: 'a@b.c',
    slug: null,
  } as const;
  peer.write({ ...body, config: { A: sealed('1') }, request: null }, [newest(peer).op]);
  expect(newest(peer)).toMatchObject({ cause: 'addon', status: 'succeeded' });
});

test('a rollback that failed is as if it had never been', () => {
  const peer = onePeer();
  const first = deploy(peer, 'one');
  settle(peer, first.id, 'succeeded');
  settle(peer, set(peer, 'A', '1').id, 'succeeded');
  peer.run({ type: 'release.rollback', app: APP, to: first.id });
  settle(peer, newest(peer).id, 'failed');
  expect(unsealed(peer.app().config.get('A')?.value)).toBe('1');
});

test('a release on top of a pending one waits, and has the slug of whatever succeeded', () => {
  for (const status of ['succeeded', 'failed'] as const) {
    const peer = onePeer();
    deploy(peer, 'good', { web: 'x' });
    const pending = deploy(peer, 'next');
    const config = set(peer, 'A', '1');
    expect(config.status).toBe('pending');
    expect(dueReleases(peer.app()).map(({ id }) => id)).toEqual([pending.id]);
    settle(peer, pending.id, status);
    const after = peer.app().releases.get(config.id);
    expect(after?.slug?.id).toBe(slugOf(status === 'succeeded' ? 'next' : 'good').id);
    // The good slug declares no release command; the next one's has to run with the new config.
    expect(after?.status).toBe(status === 'succeeded' ? 'pending' : 'succeeded');
  }
});

test('nobody rolls back to a release that failed or is pending, and nobody settles one twice', () => {
  const peer = onePeer();
  const made = deploy(peer, 'one');
  const rollback = { type: 'release.rollback', app: APP, to: made.id } as const;
  expect(peer.decide(rollback)).toMatchObject({
    ok: false,
    error: { message: expect.stringMatching('has not ended yet') as string },
  });
  settle(peer, made.id, 'failed');
  expect(peer.decide(rollback)).toMatchObject({
    ok: false,
    error: { message: expect.stringMatching('release command failed') as string },
  });
  const again = { type: 'release.settle', app: APP, release: made.id, slug: slugOf('one').id } as const;
  expect(peer.decide({ ...again, status: 'succeeded', output: null, reason: null })).toMatchObject({
    ok: true,
    drafts: [],
  });
});

test('where two sides of a split settle one release, what succeeded once has succeeded', () => {
  const [a, b] = clusterWithApp(2) as [TestPeer, TestPeer];
  const made = deploy(a, 'one');
  sync(a, b);
  settle(a, made.id, 'failed');
  settle(b, made.id, 'succeeded');
  sync(a, b);
  for (const peer of [a, b]) expect(current(peer)?.id).toBe(made.id);
});

type Move = {
  readonly at: number;
  readonly what: 'deploy' | 'plain' | 'config' | 'back' | 'good' | 'bad' | 'try' | 'merge' | 'sync';
};
const move: fc.Arbitrary<Move> = fc.record({
  at: fc.nat(2),
  what: fc.constantFrom('deploy', 'plain', 'config', 'back', 'good', 'bad', 'good', 'try', 'merge', 'sync'),
});

/** Three peers that deploy, set, settle and meet now and then. */
function play(moves: readonly Move[]): readonly TestPeer[] {
  const peers = clusterWithApp(3);
  for (const [n, { at, what }] of moves.entries()) {
    const peer = peers[at];
    if (peer === undefined) continue;
    const [due] = dueReleases(peer.app());
    const to = { app: APP, release: due?.id as ReleaseId, slug: due?.slug?.id as never };
    if (what === 'deploy') deploy(peer, `slug ${n}`);
    else if (what === 'plain') deploy(peer, `slug ${n}`, { web: 'x' });
    else if (what === 'config')
      peer.try({ type: 'config.patch', app: APP, config: { A: sealed(String(n)) } });
    else if (what === 'back') {
      const target = [...peer.app().releases.keys()].sort()[n % peer.app().releases.size];
      peer.try({ type: 'release.rollback', app: APP, to: target as ReleaseId });
    } else if (what === 'merge') peer.try({ type: 'release.merge', app: APP });
    else if (what === 'sync') sync(peer, peers[(at + 1) % 3] as TestPeer);
    else if (due === undefined) continue;
    else if (what === 'try') peer.try({ type: 'release.attempt', ...to, peer: peer.id });
    else {
      const status = what === 'good' ? 'succeeded' : 'failed';
      peer.try({ type: 'release.settle', ...to, status, output: null, reason: null });
    }
  }
  return peers;
}

test('release phases mean the same in whatever order their ops arrive', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 25 }), fc.infiniteStream(fc.nat(1_000)), (moves, ranks) => {
      const peers = play(moves);
      const ops = [...new Map(peers.flatMap((peer) => peer.ops).map((op) => [op.id, op])).values()];
      const whole = canonicalView(applyOps(emptyFold(), ops).view);
      const shuffled = ops
        .map((op) => ({ op, rank: ranks.next().value ?? 0 }))
        .sort((x, y) => x.rank - y.rank)
        .map(({ op }) => op);
      let fold = emptyFold();
      for (const op of shuffled) fold = applyOps(fold, [op]);
      expect(canonicalView(fold.view)).toBe(whole);
    }),
    { numRuns: 200 },
  );
});

test('what runs has succeeded and so has all code in it; a succeeded release follows no pending one', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 25 }), (moves) => {
      const peers = play(moves);
      sync(...peers);
      for (const peer of peers) {
        const app = peer.app();
        const running = current(peer);
        expect(running?.status).toBe('succeeded');
        for (const release of app.releases.values()) {
          const parents = release.parents.map((id) => app.releases.get(id)?.status);
          if (release.status !== 'pending') expect(parents).not.toContain('pending');
        }
        const sources = peer.fold.state.apps.get(APP)?.releases.sources;
        const brought = [...app.releases.values()].filter(
          ({ id, status }) => status === 'succeeded' && sources?.get(id)?.body.slug?.id === running?.slug?.id,
        );
        if (running?.slug) expect(brought).not.toEqual([]);
      }
    }),
    { numRuns: 100 },
  );
});
