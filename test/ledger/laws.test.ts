import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReleaseId } from '../../src/ids.ts';
import { liveAddons } from '../../src/ledger/addons/attachments.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import { applyOps, emptyFold } from '../../src/ledger/fold.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import type { PortHolder } from '../../src/ledger/ports/port-numbers.ts';
import type { View } from '../../src/ledger/view.ts';
import { sync } from './builders.ts';
import { canonicalView } from './canonical-view.ts';
import { arbitrarySteps, play } from './histories.ts';

/** The same ops in another order, some twice, cut into batches. */
function delivered(ops: readonly StoredOp[], order: readonly number[], batches: readonly number[]) {
  const shuffled = ops
    .map((op, at) => ({ op, rank: order[at % order.length] ?? 0 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ op }) => op);
  const twice = [...shuffled, ...shuffled.filter((_, at) => at % 3 === 0)];
  let fold = emptyFold();
  for (let from = 0, turn = 0; from < twice.length; turn += 1) {
    const size = batches[turn % batches.length] ?? 1;
    fold = applyOps(fold, twice.slice(from, from + size));
    from += size;
  }
  return fold;
}

const order = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 60, maxLength: 60 });
const batches = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });

test('the same set of ops means the same in any order, batching and repetition', () => {
  fc.assert(
    fc.property(arbitrarySteps(), order, batches, (steps, order, batches) => {
      const { ops } = play(steps);
      const whole = canonicalView(applyOps(emptyFold(), ops).view);
      expect(canonicalView(delivered(ops, order, batches).view)).toBe(whole);
    }),
    { numRuns: 300 },
  );
});

test('peers that have told each other everything agree, and nothing waits', () => {
  fc.assert(
    fc.property(arbitrarySteps(), (steps) => {
      const { peers, ops } = play(steps);
      sync(...peers);
      sync(...peers);
      const views = new Set(peers.map((peer) => canonicalView(peer.view)));
      expect(views.size).toBe(1);
      expect(canonicalView(applyOps(emptyFold(), ops).view)).toBe([...views][0]);
      expect(peers[0]?.view.waiting).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test('an older fold stays as it was when more ops are applied to it', () => {
  fc.assert(
    fc.property(arbitrarySteps(30), fc.nat(100), (steps, at) => {
      const { ops } = play(steps);
      const cut = at % (ops.length + 1);
      const before = applyOps(emptyFold(), ops.slice(0, cut));
      const text = canonicalView(before.view);
      for (const op of ops.slice(cut)) applyOps(before, [op]);
      applyOps(before, ops.slice(cut));
      expect(canonicalView(before.view)).toBe(text);
    }),
    { numRuns: 60 },
  );
});

test('a release keeps its number, parents and place for ever as ops arrive', () => {
  fc.assert(
    fc.property(arbitrarySteps(), order, (steps, order) => {
      const { ops } = play(steps);
      const numbers = new Map<ReleaseId, number>();
      let fold = emptyFold();
      const shuffled = ops.toSorted(
        (a, b) => (order[ops.indexOf(a) % 60] ?? 0) - (order[ops.indexOf(b) % 60] ?? 0),
      );
      for (const op of shuffled) {
        fold = applyOps(fold, [op]);
        for (const app of fold.view.apps.values()) {
          for (const [id, number] of numbersOf(app)) {
            expect(numbers.get(id) ?? number).toBe(number);
            numbers.set(id, number);
          }
        }
      }
      const shown = [...fold.view.apps.values()].flatMap((app) => [...app.releases.keys()]);
      // Only what a removed peer wrote after its removal can go again.
      if (fold.membership.cuts.size === 0) expect(new Set(shown)).toEqual(new Set(numbers.keys()));
    }),
    { numRuns: 60 },
  );
});

test('a release is one above its highest parent, and labels tell releases of one number apart', () => {
  fc.assert(
    fc.property(arbitrarySteps(), (steps) => {
      const { ops } = play(steps);
      for (const app of applyOps(emptyFold(), ops).view.apps.values()) {
        const releases = [...app.releases.values()];
        for (const { number, label, parents } of releases) {
          const above = parents.map((parent) => app.releases.get(parent)?.number ?? NaN);
          expect(number).toBe(1 + Math.max(0, ...above));
          const isAlone = releases.filter((other) => other.number === number).length === 1;
          expect(label.startsWith(isAlone ? `v${number}` : `v${number}.`)).toBe(true);
        }
        expect(new Set(releases.map(({ label }) => label)).size).toBe(releases.length);
        expect(app.heads.includes(app.current as ReleaseId) || app.current === null).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test('no two live add-ons bear one name at any peer at any moment', () => {
  fc.assert(
    fc.property(arbitrarySteps(80), (steps) => {
      play(steps, (peers) => {
        for (const { view } of peers) {
          const names = liveAddons(view).map(({ name }) => name);
          expect(new Set(names).size).toBe(names.length);
        }
      });
    }),
    { numRuns: 60 },
  );
});

test('an add-on that nobody renames keeps its name when others go', () => {
  const isNoClock = ({ what }: { what: { do: string } }): boolean => what.do !== 'clock';
  fc.assert(
    fc.property(arbitrarySteps(80), (steps) => {
      const { peers } = play(steps.filter(isNoClock));
      sync(...peers);
      sync(...peers);
      const [peer] = peers;
      if (peer === undefined) return;
      const before = new Map(liveAddons(peer.view).map(({ id, name }) => [id, name]));
      const to = { state: 'deprovisioned', providerId: null, message: null, drainUrl: null } as const;
      for (const { app, id: addon } of liveAddons(peer.view)) {
        peer.try({ type: 'addon.destroy', app, addon, force: true, reason: null });
        peer.try({ type: 'addon.settle', app, addon, ...to, config: {} });
        for (const { id, name } of liveAddons(peer.view)) expect(name).toBe(before.get(id));
      }
    }),
    { numRuns: 100 },
  );
});

test('no two open ports have one number at any peer at any moment, and none changes because another closes', () => {
  fc.assert(
    fc.property(arbitrarySteps(80), (steps) => {
      const { peers } = play(steps, (peers) => {
        for (const { view } of peers) expect(portsOf(view)).toEqual(holdersOf(view));
      });
      sync(...peers);
      sync(...peers);
      const [peer] = peers;
      if (peer === undefined) return;
      for (const { app, type: process } of peer.view.ports.values()) {
        const before = portsOf(peer.view);
        peer.try({ type: 'port.close', app, process });
        for (const [number, holder] of portsOf(peer.view)) expect(before.get(number)).toEqual(holder);
      }
    }),
    { numRuns: 100 },
  );
});

test('a port that is closed and opened again has its number again', () => {
  fc.assert(
    fc.property(arbitrarySteps(80), (steps) => {
      const { peers } = play(steps);
      sync(...peers);
      sync(...peers);
      const [peer] = peers;
      if (peer === undefined) return;
      for (const [number, { app, type: process }] of peer.view.ports) {
        peer.try({ type: 'port.close', app, process });
        if (peer.view.ports.has(number)) continue; // It was removed, and may write nothing.
        peer.try({ type: 'port.open', app, process, number: null });
        expect(peer.view.ports.get(number)).toEqual({ app, type: process });
      }
    }),
    { numRuns: 100 },
  );
});

test('no config value in a snapshot was overwritten in the causal past of that release', () => {
  fc.assert(
    fc.property(arbitrarySteps(), (steps) => {
      const { ops } = play(steps);
      const fold = applyOps(emptyFold(), ops);
      for (const app of fold.view.apps.values()) {
        const sources = fold.state.apps.get(app.id)?.releases.sources;
        for (const release of app.releases.values()) {
          const past = pastOf(app, release.id);
          for (const [key, { by }] of release.config) {
            expect(past.has(by)).toBe(true);
            const later = [...past].filter((id) => id !== by && pastOf(app, id).has(by));
            const rewrites = later.filter((id) => Object.hasOwn(sources?.get(id)?.body.config ?? {}, key));
            expect(rewrites).toEqual([]);
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

/** By number: what each app says of itself… */
function portsOf({ apps }: View): View['ports'] {
  const all = [...apps.values()].flatMap(({ id, ports }) =>
    [...ports.values()].map(({ number, type }) => [number, { app: id, type }] as const),
  );
  expect(new Set(all.map(([number]) => number)).size).toBe(all.length);
  return sorted(all);
}

/** …and what is said of all. */
function holdersOf({ ports }: View): View['ports'] {
  return sorted(ports);
}

function sorted(ports: Iterable<readonly [number, PortHolder]>): View['ports'] {
  return new Map([...ports].sort(([a], [b]) => a - b));
}

function numbersOf(app: App): [ReleaseId, number][] {
  return [...app.releases.values()].map(({ id, number }) => [id, number]);
}

/** A release and all before it. */
function pastOf(app: App, id: ReleaseId): Set<ReleaseId> {
  const past = new Set([id]);
  for (const known of past) for (const parent of app.releases.get(known)?.parents ?? []) past.add(parent);
  return past;
}
