import { expect, test } from 'vitest';
import { generationOf } from '../../src/ledger/apps/generation.ts';
import { decodeOp, encodeOp } from '../../src/ledger/codec.ts';
import { homeKey, rendezvousOrder } from '../../src/ledger/home.ts';
import { verifyReleases } from '../../src/ledger/verify.ts';
import { WEB, appId, clusterWithApp, createApp, deploy, setConfig, sync, testSigner } from './builders.ts';
import type { TestPeer } from './builders.ts';

type Pair = [TestPeer, TestPeer];

/** Two peers that released on both sides of a split, merged, and went on. */
function history(): Pair {
  const [a, b] = clusterWithApp(2) as Pair;
  a.run(deploy('one'));
  sync(a, b);
  a.run(setConfig({ A: '1' }), { request: 'r' });
  b.run(setConfig({ A: '1' }), { request: 'r' });
  b.run(setConfig({ B: '1' }));
  a.run(setConfig({ C: '1' }));
  sync(a, b);
  a.run({ type: 'release.merge', app: appId(1) });
  b.run({ type: 'release.merge', app: appId(1) });
  sync(a, b);
  return [a, b];
}

test('an honest history has no problems, from the store of any peer', () => {
  for (const peer of history()) {
    expect(verifyReleases(peer.app(), peer.ops)).toEqual({ checked: 7, problems: [] });
  }
});

test('a missing op, a bad signature and other bytes are each found', () => {
  const [a] = history();
  const release = [...a.app().releases.values()].find(({ number }) => number === 3);
  const at = a.ops.findIndex(({ id }) => id === release?.op);
  const held = a.ops[at];
  if (held === undefined) throw new Error('No v3');
  const without = a.ops.toSpliced(at, 1);
  const unsigned = decodeOp(encodeOp({ ...held.op, sig: new Uint8Array(64) }));
  const forged = { ...held, bytes: encodeOp({ ...held.op, hlc: { ms: 1, n: 1 } }) };
  const problemsWith = (ops: typeof a.ops) => verifyReleases(a.app(), ops).problems.join('\n');
  expect(problemsWith(without)).toContain('v3: no sound op');
  expect(problemsWith([...without, unsigned])).toContain('not signed by its author');
  expect(problemsWith([...without, forged])).toContain('do not have this hash');
});

test('a release that shows another number than its parents give is found', () => {
  const [a] = history();
  const app = a.app();
  const [id, release] = [...app.releases].at(-1) ?? [];
  if (id === undefined || release === undefined) throw new Error('No release');
  const forged = { ...app, releases: new Map([...app.releases, [id, { ...release, number: 99 }]]) };
  expect(verifyReleases(forged, a.ops).problems).toHaveLength(1);
});

test('a generation changes with the release and with restarts of the app, the type and the slot', () => {
  const [a] = clusterWithApp(1) as [TestPeer];
  a.run(deploy('one'));
  const seen = new Set([generationOf(a.app(), WEB, 1)]);
  for (const [process, index] of [
    [null, null],
    [WEB, null],
    [WEB, 1],
  ] as const) {
    a.run({ type: 'formation.restart', app: appId(1), process, index });
    seen.add(generationOf(a.app(), WEB, 1));
  }
  a.run(setConfig({ A: '1' }));
  seen.add(generationOf(a.app(), WEB, 1));
  expect(seen.size).toBe(5);
  expect(seen.has(null)).toBe(false);
});

test('a home moves only when it is its own peer that goes', () => {
  const peers = Array.from({ length: 9 }, (_, n) => testSigner(n).peer);
  const [first, ...others] = rendezvousOrder('blog', peers);
  expect(rendezvousOrder('blog', peers.toReversed())[0]).toBe(first);
  expect(rendezvousOrder('blog', others.toSpliced(3, 1).concat(first ?? []))[0]).toBe(first);
  const homes = new Set(Array.from({ length: 100 }, (_, n) => rendezvousOrder(`app ${n}`, peers)[0]));
  expect(homes.size).toBeGreaterThan(5);
});

test('writers meet over the name they ask for, else over the app, else nowhere', () => {
  const [a] = clusterWithApp(1) as [TestPeer];
  const app = appId(1);
  expect(homeKey(a.view, createApp(2, 'shop'))).toBe('shop');
  expect(homeKey(a.view, { type: 'app.update', app, name: 'shop' })).toBe('shop');
  expect(homeKey(a.view, { type: 'app.update', app, name: 'blog', maintenance: true })).toBe(app);
  expect(homeKey(a.view, { type: 'domain.add', app, hostname: 'WWW.example.com', domain: 'd' })).toBe(
    'www.example.com',
  );
  expect(homeKey(a.view, setConfig({ A: '1' }))).toBe(app);
  expect(homeKey(a.view, { type: 'token.revoke', token: 't' })).toBeNull();
});
