import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DynoFact } from '../../src/facts.ts';
import type { BlobId } from '../../src/ids.ts';
import { createPlacement, handovers, nextPlacementWake } from '../../src/placement/plan.ts';
import type { PlacementPeer } from '../../src/placement/types.ts';
import { dynoFact, peerAt, planFor, short, summary, wantedSlot, wantedSlots } from './builders.ts';

const web1 = wantedSlot('blog/web.1');
const newWeb1 = wantedSlot('blog/web.1', { generation: 'g2' });

test('three free slots go to three peers at once, one each', () => {
  const wanted = wantedSlots('blog', 'web', 3);
  const peers = ['a', 'b', 'c'].map((name) => peerAt(name));
  const started = ['a', 'b', 'c'].flatMap((me) => summary(planFor(me, wanted, peers)));
  expect([...started].sort()).toEqual(['start web.1', 'start web.2', 'start web.3']);
});

test('a slot that a live peer runs stays where it is', () => {
  const peers = [peerAt('a', { dynos: [dynoFact(web1)] }), peerAt('b')];
  expect(planFor('a', [web1], peers).actions).toEqual([]);
  expect(planFor('b', [web1], peers).actions).toEqual([]);
});

test('the second in rank waits 250 ms, looks again, and claims what the first has not', () => {
  const peers = [peerAt('a'), peerAt('b')];
  const first = planFor('a', [web1], peers).actions.length > 0 ? 'a' : 'b';
  const second = first === 'a' ? 'b' : 'a';
  const waiting = planFor(second, [web1], peers, { at: 1_000 });
  expect(waiting.actions).toEqual([]);
  expect(nextPlacementWake(waiting.state)).toBe(1_250);
  const claimed = planFor(second, [web1], peers, { at: 1_250, state: waiting.state });
  expect(summary(claimed)).toEqual(['start web.1']);
  const taken = peers.map((peer) =>
    peer.facts.peer === first ? peerAt(first, { dynos: [dynoFact(web1, { phase: 'fetching' })] }) : peer,
  );
  expect(planFor(second, [web1], taken, { at: 1_250, state: waiting.state }).actions).toEqual([]);
});

test('dynos of one type spread before memory counts, and then the roomier peer wins', () => {
  const web2 = wantedSlot('blog/web.2');
  const busy = peerAt('a', { dynos: [dynoFact(web1)], capacity: { memoryMiB: 64_000, cpus: 8 } });
  const small = peerAt('b', { capacity: { memoryMiB: 1_024, cpus: 1 } });
  const large = peerAt('c', { capacity: { memoryMiB: 4_096, cpus: 1 } });
  expect(summary(planFor('c', [web1, web2], [busy, small, large]))).toEqual(['start web.2']);
  expect(planFor('a', [web1, web2], [busy, small, large]).actions).toEqual([]);
});

test('what no peer can place has its reason', () => {
  const big = wantedSlot('blog/web.1', { memoryMiB: 14_336, size: 'Performance-L' });
  const peers = [
    peerAt('pi', { capacity: { memoryMiB: 100, cpus: 1 } }),
    peerAt('nas', { draining: true }),
    peerAt('old', {}, 'down', -100_000),
  ];
  const plan = planFor('pi', [big], peers);
  expect(plan.actions).toEqual([]);
  expect(plan.unplaced).toEqual([
    {
      slot: big.slot,
      reason:
        'No peer can run it: 1 has no room for 14336 MiB (at most 100 MiB is free, on "pi"), 1 is draining, 1 is not reachable',
    },
  ]);
  const arm = wantedSlot('blog/web.1', { arch: 'arm64' });
  expect(planFor('a', [arm], [peerAt('a')]).unplaced[0]?.reason).toBe(
    'No peer can run it: 1 is x64 while the slug is arm64',
  );
});

test('dynos that nobody wants any more stop', () => {
  const extra = dynoFact(wantedSlot('blog/web.2'));
  const peers = [peerAt('a', { dynos: [dynoFact(web1), extra] })];
  expect(summary(planFor('a', [web1], peers))).toEqual([`stop ${extra.dyno} unwanted`]);
  const leaving = peerAt('a', { dynos: [{ ...extra, phase: 'stopping' }] });
  expect(planFor('a', [], [leaving]).actions).toEqual([]);
});

test('a new generation starts first; the old dyno stops once the new one is up', () => {
  const old = dynoFact(web1);
  const begin = planFor('a', [newWeb1], [peerAt('a', { dynos: [old] })]);
  expect(begin.actions).toEqual([{ tag: 'start', slot: newWeb1, replaces: old.dyno }]);
  const booting = dynoFact(newWeb1, { phase: 'starting' });
  expect(planFor('a', [newWeb1], [peerAt('a', { dynos: [old, booting] })]).actions).toEqual([]);
  const ready = { ...booting, phase: 'up' } as const;
  expect(summary(planFor('a', [newWeb1], [peerAt('a', { dynos: [old, ready] })]))).toEqual([
    `stop ${old.dyno} replaced`,
  ]);
});

test('a replacement that was overtaken before it was up makes way for the next; what serves goes on serving', () => {
  const old = dynoFact(web1, { generation: 'g0' });
  const overtaken = dynoFact(web1, { phase: 'starting' });
  const plan = planFor('a', [newWeb1], [peerAt('a', { dynos: [old, overtaken] })]);
  expect(plan.actions[0]).toEqual({ tag: 'start', slot: newWeb1, replaces: old.dyno });
  expect(summary(plan)).toEqual(['start web.1', `stop ${overtaken.dyno} replaced`]);
});

test('a crashed dyno of an old generation is replaced at once, a crashed one of the wanted generation keeps its slot', () => {
  const crashed = dynoFact(web1, { phase: 'crashed' });
  const peers = [peerAt('a', { dynos: [crashed] }), peerAt('b')];
  expect(summary(planFor('a', [newWeb1], peers))).toEqual(['start web.1', `stop ${crashed.dyno} replaced`]);
  expect(planFor('a', [web1], peers).actions).toEqual([]);
  expect(planFor('b', [web1], peers).actions).toEqual([]);
});

test('a release that does not come up leaves the old dynos serving, two slots at most being tried', () => {
  const wanted = wantedSlots('blog', 'web', 5, { generation: 'g2' });
  const olds = wantedSlots('blog', 'web', 5).map((slot) => dynoFact(slot));
  expect(summary(planFor('a', wanted, [peerAt('a', { dynos: olds })]))).toEqual([
    'start web.1',
    'start web.2',
  ]);
  const failing = wanted.slice(0, 2).map((slot) => dynoFact(slot, { phase: 'crashed' }));
  expect(planFor('a', wanted, [peerAt('a', { dynos: [...olds, ...failing] })]).actions).toEqual([]);
});

test('a dyno of another size is another generation', () => {
  const larger = wantedSlot('blog/web.1', { size: 'Standard-2X', memoryMiB: 1_024 });
  expect(summary(planFor('a', [larger], [peerAt('a', { dynos: [dynoFact(web1)] })]))).toEqual([
    'start web.1',
  ]);
});

test('a web slot of a dead peer is taken after 2 s, another after 10 s, one of a peer that is gone at once', () => {
  const worker = wantedSlot('blog/worker.1');
  const dead = (verdict: 'down' | 'gone' | 'unreachable' | 'restarting') => [
    peerAt('a'),
    peerAt('b', { dynos: [dynoFact(web1), dynoFact(worker)] }, verdict, 1_000),
  ];
  const down = planFor('a', [web1, worker], dead('down'), { at: 2_999 });
  expect(down.actions).toEqual([]);
  expect(down.unplaced).toHaveLength(2);
  expect(nextPlacementWake(down.state)).toBe(3_000);
  expect(summary(planFor('a', [web1, worker], dead('down'), { at: 3_000 }))).toEqual(['start web.1']);
  expect(summary(planFor('a', [web1, worker], dead('down'), { at: 11_000 }))).toHaveLength(2);
  expect(summary(planFor('a', [web1, worker], dead('gone'), { at: 1_000 }))).toHaveLength(2);
  expect(planFor('a', [web1, worker], dead('unreachable'), { at: 900_000 }).actions).toEqual([]);
  expect(planFor('a', [web1, worker], dead('restarting'), { at: 900_000 }).actions).toEqual([]);
});

test('when half of the members vanish at once, takeovers wait three times as long and come a quarter at a time', () => {
  const wanted = wantedSlots('blog', 'web', 8);
  const facts = wanted.map((slot) => dynoFact(slot));
  const peers = (dynos: readonly DynoFact[]) => [
    peerAt('a', { dynos }),
    peerAt('b', { dynos: facts.slice(0, 4) }, 'down', 1_000),
    peerAt('c', { dynos: facts.slice(4) }, 'down', 1_000),
  ];
  const early = planFor('a', wanted, peers([]), { at: 1_000 });
  expect(early.actions).toEqual([]);
  const first = planFor('a', wanted, peers([]), { at: 7_000, state: early.state });
  expect(summary(first)).toEqual(['start web.1', 'start web.2']);
  expect(first.unplaced).toHaveLength(6);
  expect(nextPlacementWake(first.state)).toBe(31_000);
  const mine = wanted.slice(0, 2).map((slot) => dynoFact(slot));
  const between = planFor('a', wanted, peers(mine), { at: 20_000, state: first.state });
  expect(between.actions).toEqual([]);
  const later = planFor('a', wanted, peers(mine), { at: 31_000, state: between.state });
  expect(summary(later)).toEqual(['start web.3', 'start web.4']);
  const proof = peers([]).map((peer) =>
    peer.verdict === 'down' ? { ...peer, verdict: 'gone' as const } : peer,
  );
  expect(summary(planFor('a', wanted, proof, { at: 1_000 }))).toHaveLength(8);
});

test('of two peers that run one slot the older claim stays, and the other goes once that one is up', () => {
  const older = dynoFact(web1, { claimedAt: { ms: 5, n: 0 } });
  const younger = dynoFact(web1, { claimedAt: { ms: 5, n: 1 } });
  const both = [peerAt('a', { dynos: [younger] }), peerAt('b', { dynos: [older] })];
  expect(summary(planFor('a', [web1], both))).toEqual([`stop ${younger.dyno} duplicate`]);
  expect(planFor('b', [web1], both).actions).toEqual([]);
  const booting = [
    peerAt('a', { dynos: [younger] }),
    peerAt('b', { dynos: [{ ...older, phase: 'starting' }] }),
  ];
  expect(planFor('a', [web1], booting).actions).toEqual([]);
  expect(summary(planFor('b', [web1], booting))).toEqual([`stop ${older.dyno} duplicate`]);
  const neither = both.map(({ facts }) => {
    return peerAt(facts.peer, {
      dynos: facts.dynos.map((fact) => ({ ...fact, phase: 'starting' as const })),
    });
  });
  expect(planFor('a', [web1], neither).actions).toEqual([]);
  expect(planFor('b', [web1], neither).actions).toEqual([]);
});

test('a duplicate on a peer that cannot be heard is left alone', () => {
  const older = dynoFact(web1, { claimedAt: { ms: 5, n: 0 } });
  const peers = [peerAt('a', { dynos: [dynoFact(web1)] }), peerAt('b', { dynos: [older] }, 'unreachable')];
  expect(planFor('a', [web1], peers).actions).toEqual([]);
});

test('a draining peer hands over start-first', () => {
  const mine = dynoFact(web1);
  const drainer = peerAt('a', { draining: true, dynos: [mine] });
  expect(planFor('a', [web1], [drainer, peerAt('b')]).actions).toEqual([]);
  expect(summary(planFor('b', [web1], [drainer, peerAt('b')]))).toEqual(['start web.1']);
  const taking = (phase: 'starting' | 'up') => [
    drainer,
    peerAt('b', { dynos: [dynoFact(web1, { phase, claimedAt: { ms: 9_000, n: 0 } })] }),
  ];
  expect(planFor('a', [web1], taking('starting')).actions).toEqual([]);
  expect(planFor('b', [web1], taking('starting')).actions).toEqual([]);
  expect(summary(planFor('a', [web1], taking('up')))).toEqual([`stop ${mine.dyno} moved`]);
  expect(planFor('b', [web1], taking('up')).actions).toEqual([]);
});

test('a draining peer that nobody can relieve goes on serving, new releases included', () => {
  const drainer = peerAt('a', { draining: true, dynos: [dynoFact(web1)] });
  expect(summary(planFor('a', [newWeb1], [drainer]))).toEqual(['start web.1']);
  expect(planFor('a', [newWeb1], [drainer, peerAt('b')]).actions).toEqual([]);
});

test('a slot that keeps crashing on one peer is tried on another, and not passed back', () => {
  const crashed = dynoFact(web1, { phase: 'crashed', crashes: 3 });
  const shy = peerAt('a', { dynos: [crashed], shy: [web1.slot] });
  expect(summary(planFor('b', [web1], [shy, peerAt('b')]))).toEqual(['start web.1']);
  expect(planFor('a', [web1], [shy, peerAt('b')]).actions).toEqual([]);
  const taken = planFor('a', [web1], [shy, peerAt('b', { dynos: [dynoFact(web1, { phase: 'fetching' })] })]);
  expect(summary(taken)).toEqual([`stop ${crashed.dyno} moved`]);
  expect(handovers(taken.state)).toEqual([web1.slot]);
  const crashedThere = peerAt('b', {
    dynos: [{ ...crashed, claimedAt: { ms: 2_000, n: 0 } }],
    shy: [web1.slot],
  });
  const rested = planFor('a', [web1], [peerAt('a'), crashedThere], { at: 60_000, state: taken.state });
  expect(rested.actions).toEqual([]);
  expect(
    handovers(planFor('a', [newWeb1], [peerAt('a'), crashedThere], { state: rested.state }).state),
  ).toEqual([]);
});

test('the first two ranks hold the slug ready, the others do not', () => {
  const slot = wantedSlot('blog/web.1', { slug: 'slug-2' as BlobId });
  const names = ['a', 'b', 'c', 'd', 'e'];
  const peers = names.map((name) => peerAt(name, name === 'a' ? { dynos: [dynoFact(slot)] } : {}));
  const warming = names.filter((me) => summary(planFor(me, [slot], peers)).includes('warm slug-2'));
  expect(warming).toHaveLength(2);
  expect(warming).not.toContain('a');
  const me = warming[0] ?? '';
  const first = planFor(me, [slot], peers);
  expect(planFor(me, [slot], peers, { at: 5_000, state: first.state }).actions).toEqual([]);
  expect(summary(planFor(me, [slot], peers, { at: 30_000, state: first.state }))).toEqual(['warm slug-2']);
});

test('a peer that carries too much offers one slot after a minute, and the next half a minute later', () => {
  const wanted = wantedSlots('blog', 'web', 6);
  const peers = [peerAt('a', { dynos: wanted.map((slot) => dynoFact(slot)) }), peerAt('b')];
  const start = planFor('a', wanted, peers);
  expect(handovers(start.state)).toEqual([]);
  expect(nextPlacementWake(start.state)).toBe(60_000);
  const offering = planFor('a', wanted, peers, { at: 60_000, state: start.state });
  const [offered] = handovers(offering.state);
  expect(handovers(offering.state)).toHaveLength(1);
  const shown = [peerAt('a', { ...peers[0]?.facts, shy: handovers(offering.state) }), peerAt('b')];
  expect(summary(planFor('b', wanted, shown))).toEqual([`start ${short(offered ?? web1.slot)}`]);
  const full = peerAt('b', { dynos: wantedSlots('shop', 'web', 5).map((slot) => dynoFact(slot)) });
  expect(
    planFor('b', [...wanted, ...wantedSlots('shop', 'web', 5)], [shown[0] as PlacementPeer, full]).actions,
  ).toEqual([]);
  const moved = [peerAt('a', { dynos: wanted.slice(1).map((slot) => dynoFact(slot)) }), peerAt('b')];
  const after = planFor('a', wanted.slice(1), moved, { at: 62_000, state: offering.state });
  expect(handovers(after.state)).toEqual([]);
  expect(
    handovers(planFor('a', wanted.slice(1), moved, { at: 90_000, state: after.state }).state),
  ).toHaveLength(1);
});

test('a small imbalance moves nothing', () => {
  const wanted = wantedSlots('blog', 'web', 3);
  const peers = [
    peerAt('a', { dynos: wanted.slice(0, 2).map((slot) => dynoFact(slot)) }),
    peerAt('b', { dynos: wanted.slice(2).map((slot) => dynoFact(slot)) }),
  ];
  const start = planFor('a', wanted, peers);
  expect(handovers(planFor('a', wanted, peers, { at: 600_000, state: start.state }).state)).toEqual([]);
});

const cluster = fc
  .record({
    slots: fc.integer({ min: 0, max: 12 }),
    memories: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
    holders: fc.array(fc.nat(9), { minLength: 12, maxLength: 12 }),
  })
  .map(({ slots, memories, holders }) => {
    const wanted = wantedSlots('blog', 'web', slots);
    const peers = memories.map((units, at) =>
      peerAt(`p${at}`, {
        capacity: { memoryMiB: units * 512, cpus: 1 },
        dynos: wanted.filter((_, index) => holders[index] === at).map((slot) => dynoFact(slot)),
      }),
    );
    return { wanted, peers };
  });

function assignment(
  wanted: Parameters<typeof planFor>[1],
  peers: readonly PlacementPeer[],
): readonly string[] {
  return peers
    .flatMap(({ facts }) =>
      summary(planFor(facts.peer, wanted, peers)).map((line) => `${facts.peer} ${line}`),
    )
    .sort();
}

test('equal facts give equal assignments, in whatever order they come, and no slot twice', () => {
  fc.assert(
    fc.property(cluster, fc.nat(), ({ wanted, peers }, turn) => {
      const straight = assignment(wanted, peers);
      const rotate = <T>(items: readonly T[]) => {
        const at = items.length === 0 ? 0 : turn % items.length;
        return [...items.slice(at), ...items.slice(0, at)].reverse();
      };
      expect(assignment(rotate(wanted), rotate(peers))).toEqual(straight);
      const started = straight.map((line) => line.slice(line.indexOf(' ') + 1));
      expect(new Set(started).size).toBe(started.length);
    }),
  );
});

test('every free slot that fits anywhere is started, and no peer promises more memory than it has', () => {
  fc.assert(
    fc.property(cluster, ({ wanted, peers }) => {
      const held = peers.reduce((sum, { facts }) => sum + facts.dynos.length, 0);
      const room = peers.map(({ facts }) => Math.max(0, facts.capacity.memoryMiB / 512 - facts.dynos.length));
      const started = peers.map(({ facts }) => planFor(facts.peer, wanted, peers).actions.length);
      const free = wanted.length - held;
      const total = room.reduce((a, b) => a + b, 0);
      expect(started.reduce((a, b) => a + b, 0)).toBe(Math.min(free, total));
      for (const [at, count] of started.entries()) expect(count).toBeLessThanOrEqual(room[at] ?? 0);
    }),
  );
});

test('a peer that joins moves nothing, and one that leaves moves only its own dynos', () => {
  fc.assert(
    fc.property(cluster, ({ wanted, peers }) => {
      const placed = wanted.filter(({ slot }) =>
        peers.some(({ facts }) => facts.dynos.some((d) => d.slot === slot)),
      );
      expect(assignment(placed, [...peers, peerAt('joiner')])).toEqual([]);
      const [leaver, ...rest] = peers;
      if (leaver === undefined || rest.length === 0) return;
      const after = [{ ...leaver, verdict: 'gone' as const }, ...rest];
      const lost = new Set(leaver.facts.dynos.map(({ slot }) => short(slot)));
      for (const { facts } of rest) {
        for (const line of summary(planFor(facts.peer, placed, after))) {
          expect(line.startsWith('start ')).toBe(true);
          expect(lost).toContain(line.slice('start '.length));
        }
      }
    }),
  );
});

test('a plan wakes only for a moment that is still to come', () => {
  fc.assert(
    fc.property(cluster, fc.nat(200_000), ({ wanted, peers }, at) => {
      for (const { facts } of peers) {
        let state = createPlacement();
        for (const moment of [0, at, at + 70_000])
          state = planFor(facts.peer, wanted, peers, { at: moment, state }).state;
        expect(nextPlacementWake(state)).toBeGreaterThan(at + 70_000);
      }
    }),
  );
});

test('a peer whose runtime is away takes nothing, keeps what it has for its grace, and then gives it to another', () => {
  const slot = wantedSlot('blog/web.1');
  const own = dynoFact(slot);
  const away = { runtimeDown: 'the Engine does not answer' };
  const kept = [peerAt('a', { ...away, dynos: [own] }), peerAt('b')];
  expect(summary(planFor('b', [slot], kept))).toEqual([]);
  const free = [peerAt('a', away), peerAt('b', { draining: true })];
  const { unplaced } = planFor('b', [slot], free);
  expect(unplaced[0]?.reason).toBe(
    'No peer can run it: "a" cannot: the Engine does not answer, 1 is draining',
  );
  const lost = [peerAt('a', { ...away, dynosLost: true, dynos: [own] }), peerAt('b')];
  expect(summary(planFor('b', [slot], lost))).toEqual(['start web.1']);
  // It serves until the other is up.
  expect(summary(planFor('a', [slot], lost))).toEqual([]);
  const taken = [
    peerAt('a', { ...away, dynosLost: true, dynos: [own] }),
    peerAt('b', { dynos: [dynoFact(slot, { claimedAt: { ms: 2_000, n: 0 } })] }),
  ];
  expect(summary(planFor('a', [slot], taken))).toEqual([`stop ${own.dyno} moved`]);
});

test('a peer whose runtime is away begins no new generation', () => {
  const slot = wantedSlot('blog/web.1', { generation: 'g2' });
  const old = dynoFact(wantedSlot('blog/web.1'));
  expect(summary(planFor('a', [slot], [peerAt('a', { runtimeDown: 'away', dynos: [old] })]))).toEqual([]);
  expect(summary(planFor('a', [slot], [peerAt('a', { dynos: [old] })]))).toEqual(['start web.1']);
});

test('a dyno that has grown old is replaced by one of the same generation, start-first', () => {
  const slot = wantedSlot('blog/web.1');
  const old = dynoFact(slot, { cycling: true });
  expect(summary(planFor('a', [slot], [peerAt('a', { dynos: [old] })]))).toEqual(['start web.1']);
  const next = dynoFact(slot, { phase: 'starting' });
  expect(summary(planFor('a', [slot], [peerAt('a', { dynos: [old, next] })]))).toEqual([]);
  const both = [old, { ...next, phase: 'up' as const }];
  expect(summary(planFor('a', [slot], [peerAt('a', { dynos: both })]))).toEqual([
    `stop ${old.dyno} replaced`,
  ]);
});

test('a release that is a container image goes to peers with Docker, start-first, and says so where there are none', () => {
  const slot = wantedSlot('blog/web.1', { generation: 'g2', format: 'image' });
  const old = dynoFact(wantedSlot('blog/web.1'));
  const peers = [peerAt('a', { dynos: [old] }), peerAt('b'), peerAt('c', { runtime: 'docker' })];
  expect(['a', 'b', 'c'].map((me) => summary(planFor(me, [slot], peers)))).toEqual([[], [], ['start web.1']]);
  const taken = [peers[0], peerAt('c', { runtime: 'docker', dynos: [dynoFact(slot)] })].flatMap(
    (p) => p ?? [],
  );
  expect(summary(planFor('a', [slot], taken))).toEqual([`stop ${old.dyno} moved`]);
  const { unplaced } = planFor('b', [slot], [peerAt('b')]);
  expect(unplaced[0]?.reason).toBe('No peer can run it: 1 has no Docker for a container image');
});
