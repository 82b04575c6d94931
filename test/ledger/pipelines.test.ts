import { expect, test } from 'vitest';
import { blobsInReach } from '../../src/blobs/reach.ts';
import type { PromotionId, SetupId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { dutiesIn } from '../../src/ledger/duties.ts';
import { promotionRequest } from '../../src/ledger/pipelines/pipeline-types.ts';
import type { Stage } from '../../src/ledger/pipelines/pipeline-types.ts';
import type { SetupWish } from '../../src/ledger/pipelines/setup-types.ts';
import { verifyReleases } from '../../src/ledger/verify.ts';
import {
  appId,
  blobId,
  clusterWithApp,
  createApp,
  deploy,
  refusal,
  setConfig,
  slugOf,
  sync,
} from './builders.ts';
import type { TestPeer } from './builders.ts';
import { SHOP, uuid } from './pipeline-history.ts';

const FIRST = uuid<PromotionId>('promotion 1');
const SETUP = uuid<SetupId>('setup 1');

function couple(n: number, stage: Stage, pipeline = SHOP): Command {
  return { type: 'coupling.set', app: appId(n), coupling: { pipeline, stage } };
}

/** The wish for a review app of branch `red`. */
function reviewSetup(prNumber: number | null): SetupWish {
  const review = { pipeline: SHOP, branch: 'red', prNumber };
  const source = blobId('src');
  return { setup: SETUP, build: 'b', source, version: null, env: {}, buildpacks: null, review };
}

function promotion(...targets: readonly number[]): Command {
  return {
    type: 'promotion.create',
    promotion: FIRST,
    pipeline: SHOP,
    source: appId(1),
    targets: targets.map(appId),
  };
}

/** `blog` (1) is staging; `shop` (2) and `till` (3) are production. */
function withPipeline(count: number): TestPeer[] {
  const peers = clusterWithApp(count);
  const [peer] = peers;
  peer?.run(createApp(2, 'shop'));
  peer?.run(createApp(3, 'till'));
  peer?.run({ type: 'pipeline.set', pipeline: SHOP, name: 'shop' });
  peer?.run(couple(1, 'staging'));
  peer?.run(couple(2, 'production'));
  peer?.run(couple(3, 'production'));
  sync(...peers);
  return peers;
}

function first(peers: readonly TestPeer[]): TestPeer {
  const [peer] = peers;
  if (peer === undefined) throw new Error('no peer');
  return peer;
}

test('a pipeline has a name of its own, and whoever makes it owns it', () => {
  const peer = first(withPipeline(1));
  const taken = peer.decide({ type: 'pipeline.set', pipeline: uuid('other'), name: 'shop' });
  expect(refusal(taken).message).toBe('Name shop is already taken');
  peer.run({ type: 'pipeline.set', pipeline: SHOP, name: 'store' });
  peer.run({ type: 'pipeline.set', pipeline: SHOP, owner: 'bob@example.com' });
  expect(peer.view.pipelines.get(SHOP)).toMatchObject({ name: 'store', owner: 'bob@example.com' });
});

test('two pipelines of one name, made on two sides of a split, both live on under names of their own', () => {
  const peers = clusterWithApp(2);
  const [a, b] = peers;
  a?.run({ type: 'pipeline.set', pipeline: SHOP, name: 'shop' });
  b?.run({ type: 'pipeline.set', pipeline: uuid('other'), name: 'shop' });
  sync(...peers);
  const names = peers.map(({ view }) => [...view.pipelines.values()].map(({ name }) => name).sort());
  expect(names[0]).toEqual(names[1]);
  expect(names[0]).toEqual(['shop', expect.stringMatching(/^shop-[0-9a-f]{4}$/)]);
});

test('a removed pipeline stays removed, whatever was written of it elsewhere meanwhile', () => {
  const peers = withPipeline(2);
  const [a, b] = peers;
  a?.run({ type: 'pipeline.remove', pipeline: SHOP });
  b?.run({ type: 'pipeline.set', pipeline: SHOP, name: 'store' });
  sync(...peers);
  for (const { view } of peers) expect(view.pipelines.size).toBe(0);
});

test('a promotion gives each target the slug that the source runs, with its own config', () => {
  const peer = first(withPipeline(1));
  peer.run(deploy('code'));
  peer.run(setConfig({ MODE: 'staging' }));
  peer.run(setConfig({ MODE: 'live' }, 2));
  peer.run(promotion(2, 3));
  peer.run({ type: 'release.promote', app: appId(2), promotion: FIRST });
  const app = peer.app(2);
  const release = app.releases.get(app.current ?? ('' as never));
  expect(release).toMatchObject({
    cause: 'promote',
    description: `Promote blog v4 ${blobId('code').slice(0, 8)}`,
    user: 'ada@example.com',
    slug: { id: blobId('code') },
  });
  expect(peer.config('MODE', 2)).toBe('live');
  expect(app.formation.get('web' as never)?.quantity).toBe(1);
  expect(verifyReleases(app, peer.ops).problems).toEqual([]);
});

test('a promotion is a duty until all its targets have their release, and keeps its slug in reach', () => {
  const peer = first(withPipeline(1));
  peer.run(deploy('code'));
  peer.run(promotion(2, 3));
  const key = `promotion/${FIRST}`;
  expect(dutiesIn(peer.view)).toContainEqual({ kind: 'promotion', key });
  peer.run({ type: 'app.destroy', app: appId(1) });
  expect(blobsInReach(peer.view).has(blobId('code'))).toBe(true);
  peer.run({ type: 'release.promote', app: appId(2), promotion: FIRST });
  expect(dutiesIn(peer.view)).toContainEqual({ kind: 'promotion', key });
  peer.run({ type: 'app.destroy', app: appId(3) });
  expect(dutiesIn(peer.view)).toEqual([]);
});

test('a target gets one release of a promotion, however often it is asked for', () => {
  const peers = withPipeline(2);
  const [a, b] = peers;
  a?.run(deploy('code'));
  a?.run(promotion(2));
  sync(...peers);
  const promote: Command = { type: 'release.promote', app: appId(2), promotion: FIRST };
  // Both think that it is theirs to do.
  a?.run(promote);
  b?.run(promote);
  sync(...peers);
  a?.run(promote);
  const made = [...first(peers).app(2).releases.values()].filter(({ cause }) => cause === 'promote');
  expect(made).toHaveLength(1);
  expect(made[0]?.request).toBe(promotionRequest(FIRST, appId(2)));
});

test('a promotion whose release command fails leaves what the target ran', () => {
  const peer = first(withPipeline(1));
  peer.run(deploy('old', 2));
  peer.run(deploy('code', 1, { web: 'node .' }));
  peer.run({ type: 'release.deploy', app: appId(1), slug: slugOf('new', { web: 'x' }), description: '' });
  peer.write({
    kind: 'promotion.create',
    promotion: FIRST,
    pipeline: SHOP,
    source: appId(1),
    release: peer.app(1).releases.get(peer.app(1).current ?? ('' as never))?.op ?? ('' as never),
    slug: slugOf('migrates', { web: 'x', release: 'migrate' }),
    description: 'Promote',
    targets: [appId(2)],
    user: 'ada@example.com',
  });
  peer.run({ type: 'release.promote', app: appId(2), promotion: FIRST });
  const [head] = peer.app(2).heads;
  const release = peer.app(2).releases.get(head ?? ('' as never));
  expect(release?.status).toBe('pending');
  peer.run({
    type: 'release.settle',
    app: appId(2),
    release: release?.id ?? ('' as never),
    slug: blobId('migrates'),
    status: 'failed',
    output: null,
    reason: 'it exited with status 1',
  });
  peer.run(setConfig({ A: '1' }, 2));
  const app = peer.app(2);
  expect(app.releases.get(app.current ?? ('' as never))?.slug?.id).toBe(blobId('old'));
});

test('what cannot be promoted is refused with the reason', () => {
  const peer = first(withPipeline(1));
  const why = (command: Command): string => refusal(peer.decide(command)).message;
  expect(why(promotion(2))).toBe('Cannot promote "blog": it has no code yet');
  peer.run(deploy('code'));
  expect(why(promotion())).toContain('there is no app to promote it to');
  expect(why(promotion(1))).toContain('an app cannot be promoted to itself');
  peer.run({ type: 'coupling.set', app: appId(3), coupling: null });
  expect(why(promotion(2, 3))).toBe('Cannot promote with "till": it is not in the pipeline "shop"');
});

test('an app setup makes its app with the same write, and one that fails takes it along', () => {
  const peer = first(withPipeline(1));
  const setup = reviewSetup(7);
  const command: Command = { type: 'setup.create', app: appId(9), name: 'red', fallbackName: 'fog', setup };
  peer.run(command);
  expect(peer.decide(command)).toMatchObject({ ok: true, drafts: [] });
  expect(peer.app(9)).toMatchObject({ name: 'red', coupling: { stage: 'review' }, setup: { settled: null } });
  expect(dutiesIn(peer.view)).toEqual([{ kind: 'setup', key: `setup/${appId(9)}` }]);
  expect(blobsInReach(peer.view).has(blobId('src'))).toBe(true);
  const settled = {
    setup: SETUP,
    status: 'failed',
    reason: 'no',
    manifestErrors: ['a'],
    postdeploy: null,
  } as const;
  peer.run({ type: 'setup.settle', app: appId(9), settled });
  expect(peer.view.apps.get(appId(9))).toMatchObject({
    destroyed: true,
    setup: { settled: { reason: 'no' } },
  });
  expect(dutiesIn(peer.view)).toEqual([]);
  expect(blobsInReach(peer.view).has(blobId('src'))).toBe(false);
});

test('review apps of a pipeline that removes stale ones are looked after', () => {
  const peer = first(withPipeline(1));
  const setup = reviewSetup(null);
  peer.run({ type: 'setup.create', app: appId(9), name: 'red', fallbackName: 'fog', setup });
  const settled = {
    setup: SETUP,
    status: 'succeeded',
    reason: null,
    manifestErrors: [],
    postdeploy: null,
  } as const;
  peer.run({ type: 'setup.settle', app: appId(9), settled });
  expect(dutiesIn(peer.view)).toEqual([]);
  const settings = { baseName: null, destroysStale: true, staleDays: 5 };
  peer.run({ type: 'pipeline.review', pipeline: SHOP, review: settings });
  expect(dutiesIn(peer.view)).toEqual([{ kind: 'review', key: `review/${appId(9)}` }]);
});

test('a slug that a client sent stays in reach until newer ones have come', () => {
  const peer = first(withPipeline(1));
  for (let n = 1; n <= 6; n += 1) {
    const slug = { ...slugOf(`sent ${n}`), upload: `upload ${n}` };
    peer.run({ type: 'slug.create', app: appId(1), slug, checksum: 'SHA256:x' });
  }
  const inReach = blobsInReach(peer.view);
  expect([1, 2, 6].map((n) => inReach.has(blobId(`sent ${n}`)))).toEqual([false, true, true]);
});
