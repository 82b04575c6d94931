import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppId, BlobId, DynoId, PeerId, ProcessType, ReleaseId, VolumeId } from '../../src/ids.ts';
import { slotKey } from '../../src/ids.ts';
import { CYCLE_JITTER_MS, CYCLE_MS, cycleAt } from '../../src/dynos/cycling.ts';
import { adoptLife, beginLife, nextDynoWake, phaseOf, stepDyno, wantsRestart } from '../../src/dynos/life.ts';
import {
  BOOT_TIMEOUT_MS,
  DRAIN_MS_MIN,
  DRAIN_TIMEOUT_MS,
  EXIT_TIMEOUT_MS,
  FETCH_TIMEOUT_MS,
  KILL_AGAIN_MS,
} from '../../src/dynos/timeouts.ts';
import type { DynoEffect, DynoEvent, DynoLife } from '../../src/dynos/types.ts';
import type { WantedSlot } from '../../src/placement/types.ts';

const at = (mono: number) => ({ mono, wall: 1_700_000_000_000 + mono });

function slot(type: string): WantedSlot {
  const app = 'app-1' as AppId;
  return {
    slot: slotKey(app, type as ProcessType, 1),
    app,
    type: type as ProcessType,
    index: 1,
    listens: type === 'web',
    release: 'release-1' as ReleaseId,
    generation: 'g1.',
    size: 'Basic',
    memoryMiB: 512,
    layers: [],
    format: 'slug',
    volumes: [],
    command: 'node server.js',
    arch: 'any',
    slug: 'slug-1' as BlobId,
  };
}

const start = (type = 'web', crashes = 0) => ({
  dyno: 'dyno-1' as DynoId,
  slot: slot(type),
  claimedAt: { ms: 1, n: 0 },
  crashes,
});

/** Runs events at their times and collects all effects. */
function live(
  life: DynoLife,
  events: readonly (readonly [number, DynoEvent])[],
): { life: DynoLife; effects: DynoEffect[] } {
  let current = life;
  const effects: DynoEffect[] = [];
  for (const [mono, event] of events) {
    const next = stepDyno(current, event, at(mono));
    current = next.state;
    effects.push(...next.effects);
  }
  return { life: current, effects };
}

const begin = (type = 'web', crashes = 0): DynoLife => beginLife(start(type, crashes), at(0)).state;
const boot: readonly (readonly [number, DynoEvent])[] = [
  [10, { tag: 'slug', ok: true }],
  [20, { tag: 'started', address: { host: '127.0.0.1', port: 4000 } }],
  [30, { tag: 'ready', address: { host: '127.0.0.1', port: 5000 } }],
];
const up = (type = 'web', crashes = 0): DynoLife => live(begin(type, crashes), boot).life;
const logs = (effects: readonly DynoEffect[]) => effects.flatMap((e) => (e.tag === 'log' ? [e.text] : []));
const signals = (effects: readonly DynoEffect[]) =>
  effects.flatMap((e) => (e.tag === 'signal' ? [e.signal] : []));

test('a dyno fetches its slug, starts, and is up when it is ready, in Heroku’s words', () => {
  const first = beginLife(start(), at(0));
  expect(first.effects).toEqual([{ tag: 'fetchSlug' }]);
  const { life, effects } = live(first.state, boot);
  expect(effects).toEqual([
    { tag: 'log', text: 'Starting process with command `node server.js`' },
    { tag: 'start' },
    { tag: 'log', text: 'State changed from starting to up' },
  ]);
  expect(life.address).toEqual({ host: '127.0.0.1', port: 5000 });
  expect(life.state).toEqual({ tag: 'up', at: 30 });
  expect(life.since).toBe(at(30).wall);
});

test('a web dyno that binds no port within 60 s of its launch logs R10, is killed and crashed', () => {
  const { life } = live(begin(), [
    [10, { tag: 'slug', ok: true }],
    [9_000, { tag: 'started', address: { host: '127.0.0.1', port: 4000 } }],
  ]);
  expect(nextDynoWake(life)).toBe(9_000 + BOOT_TIMEOUT_MS);
  const late = live(life, [[9_000 + BOOT_TIMEOUT_MS, { tag: 'tick' }]]);
  expect(logs(late.effects)).toEqual([
    'Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch',
    'Stopping process with SIGKILL',
    'State changed from starting to crashed',
  ]);
  expect(signals(late.effects)).toEqual(['SIGKILL']);
  expect(phaseOf(late.life)).toBe('crashed');
  const ended = live(late.life, [
    [70_000, { tag: 'exited', status: null, signal: 'SIGKILL', outOfMemory: false }],
  ]);
  expect(logs(ended.effects)).toEqual(['Process exited with status 137']);
  expect(phaseOf(ended.life)).toBe('crashed');
});

test('a dyno of an open type is up at the port where it listens, and R10 names no web process', () => {
  const life: DynoLife = { ...begin('db'), slot: { ...slot('db'), listens: true } };
  expect(live(life, boot).life.address).toEqual({ host: '127.0.0.1', port: 5000 });
  const late = live(life, [
    [10, { tag: 'slug', ok: true }],
    [20, { tag: 'started', address: { host: '127.0.0.1', port: 4000 } }],
    [20 + BOOT_TIMEOUT_MS, { tag: 'tick' }],
  ]);
  expect(logs(late.effects)).toContain(
    'Error R10 (Boot timeout) -> Process failed to bind to $PORT within 60 seconds of launch',
  );
});

test('a dyno of an open type leaves the routes, and waits for no connection before it is told to end', () => {
  const open: DynoLife = { ...up('db'), slot: { ...slot('db'), listens: true } };
  const left = live(open, [[1_000, { tag: 'stop' }]]);
  expect(phaseOf(left.life)).toBe('draining');
  expect(left.effects).toEqual([]);
  const told = live(left.life, [[1_000 + DRAIN_MS_MIN, { tag: 'tick' }]]);
  expect(signals(told.effects)).toEqual(['SIGTERM']);
});

test('a slug that does not come in 120 s, or cannot be had, is a crash that says why', () => {
  const late = live(begin(), [[FETCH_TIMEOUT_MS, { tag: 'tick' }]]);
  expect(phaseOf(late.life)).toBe('crashed');
  expect(logs(late.effects)[0]).toContain('could not be fetched within 120 seconds');
  const refused = live(begin(), [[5, { tag: 'slug', ok: false, reason: 'no peer holds it' }]]);
  expect(logs(refused.effects)[0]).toContain('no peer holds it');
  expect(refused.life.crashes).toBe(1);
});

test('a dyno that ends by itself has crashed, whatever its status', () => {
  const { life, effects } = live(up(), [
    [100, { tag: 'exited', status: 0, signal: null, outOfMemory: false }],
  ]);
  expect(logs(effects)).toEqual(['Process exited with status 0', 'State changed from up to crashed']);
  expect(life.crashes).toBe(1);
  expect(wantsRestart(life, at(100))).toBe(true);
});

test('the second crash in a row waits, and ten minutes up forgive all crashes', () => {
  const second = live(up('web', 1), [
    [100, { tag: 'exited', status: 1, signal: null, outOfMemory: false }],
  ]).life;
  expect(second.crashes).toBe(2);
  expect(wantsRestart(second, at(100))).toBe(false);
  expect(wantsRestart(second, at(nextDynoWake(second)))).toBe(true);
  const long = live(up('web', 7), [
    [700_000, { tag: 'exited', status: 1, signal: null, outOfMemory: false }],
  ]).life;
  expect(long.crashes).toBe(1);
});

test('a stopped web dyno drains until no request is left, then gets SIGTERM, and is gone when it exits', () => {
  const stop = live(up(), [[1_000, { tag: 'stop' }]]);
  expect(stop.effects).toEqual([{ tag: 'drain' }]);
  expect(phaseOf(stop.life)).toBe('draining');
  const drained = live(stop.life, [[3_000, { tag: 'drained' }]]);
  expect(drained.effects).toEqual([
    { tag: 'log', text: 'Stopping all processes with SIGTERM' },
    { tag: 'signal', signal: 'SIGTERM' },
  ]);
  const gone = live(drained.life, [
    [3_100, { tag: 'exited', status: null, signal: 'SIGTERM', outOfMemory: false }],
  ]);
  expect(logs(gone.effects)).toEqual(['Process exited with status 143']);
  expect(gone.life.state).toEqual({ tag: 'gone' });
});

test('an idle dyno drains for a moment all the same, until other routers have heard of it', () => {
  const { life, effects } = live(up(), [
    [1_000, { tag: 'stop' }],
    [1_001, { tag: 'drained' }],
    [1_500, { tag: 'drained' }],
  ]);
  expect(signals(effects)).toEqual([]);
  expect(nextDynoWake(life)).toBe(1_000 + DRAIN_MS_MIN);
  expect(signals(live(life, [[1_000 + DRAIN_MS_MIN, { tag: 'tick' }]]).effects)).toEqual(['SIGTERM']);
});

test('a drain that never ends is cut after 30 s; one that still runs 30 s after SIGTERM logs R12 and is killed again and again', () => {
  const drain = live(up(), [[0, { tag: 'stop' }]]).life;
  const term = live(drain, [[DRAIN_TIMEOUT_MS, { tag: 'tick' }]]);
  expect(signals(term.effects)).toEqual(['SIGTERM']);
  const killAt = DRAIN_TIMEOUT_MS + EXIT_TIMEOUT_MS;
  const kills = live(term.life, [
    [killAt - 1, { tag: 'tick' }],
    [killAt, { tag: 'tick' }],
    [killAt + KILL_AGAIN_MS, { tag: 'tick' }],
  ]);
  expect(signals(kills.effects)).toEqual(['SIGKILL', 'SIGKILL']);
  expect(logs(kills.effects)).toEqual([
    'Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM',
    'Stopping remaining processes with SIGKILL',
  ]);
});

test('a worker has no requests to drain', () => {
  expect(signals(live(up('worker'), [[1_000, { tag: 'stop' }]]).effects)).toEqual(['SIGTERM']);
});

test('a worker has no address, whatever the runtime says of it', () => {
  const { life } = live(begin('worker'), [
    [10, { tag: 'slug', ok: true }],
    [20, { tag: 'started', address: null }],
    [30, { tag: 'ready', address: { host: '127.0.0.1', port: 0 } }],
  ]);
  expect([phaseOf(life), life.address]).toEqual(['up', null]);
});

test('a dyno stopped before it started is gone at once, or told to go as soon as it has started', () => {
  expect(live(begin(), [[1, { tag: 'stop' }]]).life.state.tag).toBe('gone');
  const { effects, life } = live(begin(), [
    [10, { tag: 'slug', ok: true }],
    [11, { tag: 'stop' }],
    [12, { tag: 'started', address: { host: '127.0.0.1', port: 4000 } }],
  ]);
  expect(signals(effects)).toEqual(['SIGTERM', 'SIGTERM']);
  expect(phaseOf(life)).toBe('stopping');
});

test('a dyno that outlived the agent is adopted as what it is', () => {
  const found = {
    ...start(),
    address: { host: '127.0.0.1', port: 4000 },
    listening: true,
    exited: null,
    launchedAt: null,
  };
  expect(phaseOf(adoptLife(found, at(0)).state)).toBe('up');
  expect(phaseOf(adoptLife({ ...found, listening: false }, at(0)).state)).toBe('starting');
  expect(phaseOf(adoptLife({ ...found, slot: slot('worker'), listening: false }, at(0)).state)).toBe('up');
  const ended = adoptLife({ ...found, exited: { status: 3, signal: null, outOfMemory: false } }, at(0));
  expect(phaseOf(ended.state)).toBe('crashed');
  expect(logs(ended.effects)).toContain('Process exited with status 3');
});

test('a dyno that outlived the agent keeps its true start, and its day', () => {
  const found = {
    ...start(),
    address: { host: '127.0.0.1', port: 4000 },
    listening: true,
    exited: null,
    launchedAt: at(0).wall - 3_600_000,
  };
  const { state: life } = adoptLife(found, at(0));
  expect(life.since).toBe(at(0).wall - 3_600_000);
  expect(life.launchedAt.mono).toBe(-3_600_000);
  expect(cycleAt(life)).toBeLessThan(CYCLE_MS + CYCLE_JITTER_MS);
  // Ten minutes up forgive its crashes, though this agent saw none of them.
  const exit: DynoEvent = { tag: 'exited', status: 1, signal: null, outOfMemory: false };
  expect(live({ ...life, crashes: 5 }, [[10, exit]]).life.crashes).toBe(1);
  // A clock that was set back makes nobody younger than the agent.
  expect(adoptLife({ ...found, launchedAt: at(0).wall + 60_000 }, at(0)).state.launchedAt.mono).toBe(0);
});

test('a dyno is due after a day and up to 216 minutes, once, and only while it is up', () => {
  const due = cycleAt(up());
  expect(due).toBeGreaterThanOrEqual(10 + CYCLE_MS);
  expect(due).toBeLessThan(10 + CYCLE_MS + CYCLE_JITTER_MS);
  expect(cycleAt(begin())).toBe(Infinity);
  const { life, effects } = live(up(), [[due, { tag: 'cycle' }]]);
  expect(logs(effects)).toEqual(['Cycling']);
  expect([phaseOf(life), life.isCycling, cycleAt(life)]).toEqual(['up', true, Infinity]);
  expect(live(life, [[due, { tag: 'cycle' }]]).effects).toEqual([]);
  expect(live(begin(), [[5, { tag: 'cycle' }]]).life.isCycling).toBe(false);
});

test('a dyno with a volume grows old: replaced stop-first, it would be away for a moment', () => {
  const place = { peer: 'here' as PeerId, copy: 'c', path: '/app/data', stopped: null };
  const volumes = [{ volume: 'v' as VolumeId, name: 'data', ...place }];
  expect(cycleAt({ ...up(), slot: { ...slot('db'), volumes } })).toBe(Infinity);
});

test('the jitter spreads dynos over the whole of its time', () => {
  const dues = Array.from(
    { length: 200 },
    (_, i) => cycleAt({ ...up(), dyno: `dyno-${i}` as DynoId }) - 10 - CYCLE_MS,
  );
  for (const share of [0, 0.25, 0.5, 0.75]) {
    const inQuarter = dues.filter(
      (due) => due >= share * CYCLE_JITTER_MS && due < (share + 0.25) * CYCLE_JITTER_MS,
    );
    expect(inQuarter.length).toBeGreaterThan(25);
  }
});

test('a dyno that the kernel ended for its memory logs R15 and has crashed', () => {
  const { life, effects } = live(up(), [
    [100, { tag: 'exited', status: null, signal: 'SIGKILL', outOfMemory: true }],
  ]);
  expect(logs(effects)).toEqual([
    'Error R15 (Memory quota vastly exceeded)',
    'Stopping process with SIGKILL',
    'Process exited with status 137',
    'State changed from up to crashed',
  ]);
  expect(life.crashes).toBe(1);
});

const anyEvent: fc.Arbitrary<DynoEvent> = fc.oneof(
  fc.constantFrom<DynoEvent>(
    { tag: 'tick' },
    { tag: 'stop' },
    { tag: 'drained' },
    { tag: 'cycle' },
    { tag: 'ready', address: { host: '127.0.0.1', port: 5000 } },
    { tag: 'started', address: { host: '127.0.0.1', port: 4000 } },
    { tag: 'exited', status: 1, signal: null, outOfMemory: false },
    { tag: 'failed', reason: 'no memory' },
  ),
  fc.boolean().map((ok): DynoEvent => ({ tag: 'slug', ok })),
);

test('whatever happens, gone stays gone, crashed only goes, and a stopped dyno always ends under ticks alone plus its exit', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40_000), anyEvent), { maxLength: 40 }), (script) => {
      let life = begin();
      let mono = 0;
      for (const [wait, event] of script) {
        mono += wait;
        const next = stepDyno(life, event, at(mono)).state;
        if (life.state.tag === 'gone') expect(next.state.tag).toBe('gone');
        if (life.state.tag === 'crashed') expect(['crashed', 'gone']).toContain(next.state.tag);
        expect(nextDynoWake(next)).not.toBeNaN();
        life = next;
      }
      life = stepDyno(life, { tag: 'stop' }, at(mono)).state;
      const killed: DynoEffect[] = [];
      for (let turn = 0; turn < 4 && life.state.tag !== 'gone'; turn += 1) {
        mono = Math.max(mono, nextDynoWake(life));
        const next = stepDyno(life, { tag: 'tick' }, at(mono));
        killed.push(...next.effects);
        life = next.state;
      }
      if (life.state.tag === 'gone') return;
      expect(signals(killed)).toContain('SIGKILL');
      expect(
        stepDyno(life, { tag: 'exited', status: 137, signal: null, outOfMemory: false }, at(mono)).state.state
          .tag,
      ).toBe('gone');
    }),
  );
});
