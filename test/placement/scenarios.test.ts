import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PeerId } from '../../src/ids.ts';
import { wantedSlots } from './builders.ts';
import { PlacementNet } from './placement-net.ts';

function settledNet(peers: number, slots: number): PlacementNet {
  const net = new PlacementNet(peers);
  net.run(100);
  net.want(wantedSlots('blog', 'web', slots));
  net.runUntil(() => net.isSettled(), 5_000);
  return net;
}

/** Fails as soon as some slot that has served is served by nobody. */
function neverDown(net: PlacementNet): () => void {
  return () => {
    for (const { slot } of net.wanted) {
      if (net.serving(slot).length === 0) throw new Error(`"${slot}" was served by nobody: ${net.picture()}`);
    }
  };
}

const counts = (net: PlacementNet) => net.ids.map((peer) => net.count(peer)).sort((a, b) => a - b);
const holdings = (net: PlacementNet) => net.wanted.map(({ slot }) => net.serving(slot)[0]?.dyno);

test('a scaled app spreads evenly, each slot is started once, and then nothing moves', () => {
  const net = settledNet(4, 8);
  expect(counts(net)).toEqual([2, 2, 2, 2]);
  expect(net.starts).toBe(8);
  net.run(600_000);
  expect(net.starts).toBe(8);
});

test('peers that plan a new formation at different moments still start each slot once, or settle it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(400), { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 1, max: 9 }),
      (delays, slots) => {
        const net = new PlacementNet(5);
        net.run(100);
        net.wanted = wantedSlots('blog', 'web', slots);
        for (const [at, delay] of delays.entries()) net.later(delay, () => net.plan(net.peer(at)));
        net.run(10_000);
        expect(net.isSettled()).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test('a dead peer’s web dynos serve elsewhere 2 s after it is down, those of a peer that is gone at once, and no other moves', () => {
  for (const [verdict, atLeast, atMost] of [
    ['down', 2_300, 2_600],
    ['gone', 300, 600],
  ] as const) {
    const net = settledNet(4, 8);
    const before = holdings(net);
    net.lose(net.peer(1), verdict);
    const tookMs = net.runUntil(() => net.isSettled(), 10_000);
    expect(tookMs).toBeGreaterThan(atLeast);
    expect(tookMs).toBeLessThan(atMost);
    expect(net.starts).toBe(10);
    const moved = holdings(net).filter((dyno, at) => dyno !== before[at]);
    expect(moved).toHaveLength(2);
  }
});

test('a restarting agent moves nothing', () => {
  const net = settledNet(3, 6);
  for (const by of [0, 2]) net.judge(net.peer(by), net.peer(1), 'restarting');
  net.run(30_000);
  expect(net.starts).toBe(6);
});

test('a deploy replaces every dyno start-first, two at a time on a peer', () => {
  const net = settledNet(2, 8);
  const next = wantedSlots('blog', 'web', 8, { generation: 'g2' });
  net.want(next);
  net.runUntil(
    () => net.isSettled(),
    20_000,
    () => {
      neverDown(net)();
      for (const id of net.ids) {
        const booting = net.facts(id).dynos.filter((fact) => fact.generation === 'g2' && fact.phase !== 'up');
        expect(booting.length).toBeLessThanOrEqual(2);
      }
    },
  );
  expect(net.starts).toBe(16);
});

test('a release that crashes leaves the old dynos serving', () => {
  const net = settledNet(2, 4);
  for (const { slot } of net.wanted) net.crashing.add(slot);
  net.want(wantedSlots('blog', 'web', 4, { generation: 'g2' }));
  net.run(120_000, neverDown(net));
  for (const { slot } of net.wanted) expect(net.serving(slot)[0]?.slot.generation).toBe('g1');
  net.crashing.clear();
  net.want(wantedSlots('blog', 'web', 4, { generation: 'g3' }));
  net.runUntil(() => net.isSettled(), 10_000, neverDown(net));
});

test('a drained peer is empty, and no slot was ever served by nobody', () => {
  const net = settledNet(3, 6);
  net.drain(net.peer(0), true);
  net.runUntil(() => net.isSettled() && net.count(net.peer(0)) === 0, 10_000, neverDown(net));
  net.drain(net.peer(0), false);
  net.run(30_000, neverDown(net));
  expect(net.isSettled()).toBe(true);
});

test('after a split heals each slot runs once again, and none went down on the way', () => {
  const net = settledNet(4, 6);
  const [left, right] = [net.ids.slice(0, 2), net.ids.slice(2)];
  net.split(left, right, 'gone');
  net.run(10_000, neverDown(net));
  for (const { slot } of net.wanted) expect(net.serving(slot)).toHaveLength(2);
  net.heal();
  net.runUntil(() => net.isSettled(), 5_000, neverDown(net));
  net.run(30_000, neverDown(net));
  expect(net.isSettled()).toBe(true);
});

test('a split that heals in the middle of a deploy ends with each slot once, at the new generation', () => {
  const net = settledNet(4, 6);
  net.split(net.ids.slice(0, 2), net.ids.slice(2), 'gone');
  net.run(5_000);
  net.want(wantedSlots('blog', 'web', 6, { generation: 'g2' }));
  net.run(200);
  net.heal();
  net.runUntil(() => net.isSettled(), 10_000, neverDown(net));
});

test('half of the cluster cut off: each side takes over a quarter at a time, and stops nothing', () => {
  const net = settledNet(4, 8);
  net.split(net.ids.slice(0, 2), net.ids.slice(2), 'down');
  net.run(10_000, neverDown(net));
  const doubled = () => net.wanted.filter(({ slot }) => net.serving(slot).length === 2).length;
  // A quarter of four on either side.
  expect(doubled()).toBe(2);
  net.run(30_000, neverDown(net));
  expect(doubled()).toBe(4);
  net.run(60_000, neverDown(net));
  expect(doubled()).toBe(8);
});

test('a returned peer gets work slowly, start-first, until the load is even enough, and then nothing moves', () => {
  const net = settledNet(3, 9);
  net.lose(net.peer(0), 'gone');
  net.run(20_000);
  net.comeBack(net.peer(0));
  const startsBefore = net.starts;
  net.run(59_000, neverDown(net));
  expect(net.starts).toBe(startsBefore);
  net.run(5_000, neverDown(net));
  expect(net.count(net.peer(0))).toBeLessThanOrEqual(2);
  net.run(300_000, neverDown(net));
  expect(net.isSettled()).toBe(true);
  expect(Math.max(...counts(net)) - Math.min(...counts(net))).toBeLessThanOrEqual(1);
  const settled = net.starts;
  net.run(3_600_000);
  expect(net.starts).toBe(settled);
});

test('an app that crashes everywhere is tried on each peer, then rests with one and backs off', () => {
  const net = new PlacementNet(3);
  net.run(100);
  const wanted = wantedSlots('blog', 'web', 1);
  for (const { slot } of wanted) net.crashing.add(slot);
  net.want(wanted);
  net.run(120_000);
  const starts = net.starts;
  for (const { slot } of wanted) expect(net.claims(slot)).toHaveLength(1);
  net.run(300_000);
  expect(net.starts - starts).toBeLessThan(8);
});

test('whatever dies, drains, splits and returns, in the end each slot runs exactly once', () => {
  const fault = fc.record({
    kind: fc.constantFrom('lose', 'back', 'drain', 'undrain', 'split', 'heal', 'deploy', 'scale'),
    peer: fc.nat(4),
    ms: fc.integer({ min: 10, max: 6_000 }),
  });
  fc.assert(
    fc.property(fc.array(fault, { maxLength: 10 }), (faults) => {
      const net = settledNet(5, 5);
      const lost = new Set<PeerId>();
      let generation = 1;
      let slots = 5;
      for (const { kind, peer: at, ms } of faults) {
        const peer = net.peer(at);
        const rest = net.ids.filter((id) => id !== peer);
        if (kind === 'lose' && !lost.has(peer))
          net.lose(lost.add(peer) && peer, ms % 2 === 0 ? 'gone' : 'down');
        if (kind === 'back' && lost.delete(peer)) net.comeBack(peer);
        if (kind === 'drain' || kind === 'undrain') net.drain(peer, kind === 'drain');
        if (kind === 'split') net.split([peer], rest, ms % 2 === 0 ? 'down' : 'unreachable');
        if (kind === 'heal') net.heal();
        if (kind === 'deploy') generation += 1;
        if (kind === 'scale') slots = 1 + (ms % 8);
        net.want(wantedSlots('blog', 'web', slots, { generation: `g${generation}` }));
        net.run(ms);
      }
      for (const peer of lost) net.comeBack(peer);
      net.heal();
      for (const peer of net.ids) net.drain(peer, false);
      net.runUntil(() => net.isSettled(), 60_000);
      net.run(30_000);
      expect(net.isSettled()).toBe(true);
    }),
    { numRuns: 60 },
  );
});
