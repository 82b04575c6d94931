import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DialerEvent,
  type DialerState,
  nextDialAt,
  RETRY_MS_MAX,
  startDialer,
  stepDialer,
} from '../../agent/mesh/dialer.ts';
import type { PeerId } from '../../src/ids.ts';

const self = 'm' as PeerId;
const later = 'z' as PeerId; // we have the lower id: we dial first
const earlier = 'a' as PeerId;
const half = (): number => 0.5;

function members(...peers: PeerId[]): DialerEvent {
  return { tag: 'members', members: peers.map((peer) => ({ peer, addrs: [`/of/${peer}`] })) };
}

/** Steps through events at given times; returns the state and what each step dialled or cancelled. */
function play(events: readonly (readonly [number, DialerEvent])[], state: DialerState = startDialer(self)) {
  const effects: string[] = [];
  let current = state;
  for (const [now, event] of events) {
    const step = stepDialer(current, event, now, half);
    current = step.state;
    effects.push(...step.effects.map(({ tag, peer }) => `${now} ${tag} ${peer}`));
  }
  return { state: current, effects };
}

test('a new member with a higher id is dialled at once, one with a lower id is given time to dial us', () => {
  const { state, effects } = play([[0, members(self, later, earlier)]]);
  expect(effects).toEqual(['0 dial z']);
  expect(nextDialAt(state)).toBe(1500);
  expect(play([[1500, { tag: 'tick' }]], state).effects).toEqual(['1500 dial a']);
});

test('a member without address is not dialled until one is learned', () => {
  const { state, effects } = play([[0, { tag: 'members', members: [{ peer: later, addrs: [] }] }]]);
  expect(effects).toEqual([]);
  expect(nextDialAt(state)).toBe(Infinity);
  const step = stepDialer(state, { tag: 'learned', peer: later, addrs: ['/new'] }, 10, half);
  expect(step.effects).toMatchObject([{ tag: 'dial', peer: later, addrs: ['/new'] }]);
});

test('a peer that stays away is dialled for ever, at most 15 s apart', () => {
  let { state } = play([[0, members(later)]]);
  let now = 0;
  const waits: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    ({ state } = play([[now, { tag: 'failed', peer: later }]], state));
    const at = nextDialAt(state);
    waits.push(at - now);
    now = at;
    const { state: next, effects } = play([[now, { tag: 'tick' }]], state);
    expect(effects).toEqual([`${now} dial z`]);
    state = next;
  }
  expect(waits[0]).toBe(375);
  expect(waits[1]).toBe(750);
  expect(Math.max(...waits)).toBeLessThanOrEqual(RETRY_MS_MAX);
});

test('a new address, or the return of another lost peer, ends the waiting', () => {
  const other = 'y' as PeerId;
  const lost: [number, DialerEvent][] = [
    [0, members(later, other)],
    ...Array.from({ length: 8 }, (_, n): [number, DialerEvent][] => [
      [n * 20_000, { tag: 'failed', peer: later }],
      [n * 20_000, { tag: 'failed', peer: other }],
      [n * 20_000 + 15_001, { tag: 'tick' }],
    ]).flat(),
    [200_000, { tag: 'failed', peer: later }],
    [200_000, { tag: 'failed', peer: other }],
  ];
  const { state } = play(lost);
  expect(nextDialAt(state)).toBeGreaterThan(205_000);

  const moved: DialerEvent = {
    tag: 'members',
    members: [
      { peer: later, addrs: ['/of/z', '/moved'] },
      { peer: other, addrs: ['/of/y'] },
    ],
  };
  expect(nextDialAt(play([[200_001, moved]], state).state)).toBe(200_126);
  expect(nextDialAt(play([[200_001, { tag: 'up', peer: other }]], state).state)).toBe(200_126);
});

test('a link ends dialling, its loss begins it again, and a removed member is forgotten', () => {
  const { effects } = play([
    [0, members(later)],
    [5, { tag: 'up', peer: later }],
    [6, { tag: 'failed', peer: later }],
    [7, { tag: 'tick' }],
    [100, { tag: 'down', peer: later }],
    [101, { tag: 'members', members: [] }],
    [102, { tag: 'down', peer: later }],
    [99_999, { tag: 'tick' }],
  ]);
  expect(effects).toEqual(['0 dial z', '5 cancel z', '100 dial z', '101 cancel z']);
});

test('whatever happens, at most eight dials are under way, none to a linked peer, and all lost peers get their turn', () => {
  const peers = Array.from({ length: 20 }, (_, index) => `${index < 10 ? 'a' : 'z'}${index}` as PeerId);
  const peer = fc.constantFrom(...peers);
  const event = fc.oneof(
    fc.record({ tag: fc.constantFrom('up' as const, 'down' as const, 'failed' as const), peer }),
    fc.constant<DialerEvent>({ tag: 'tick' }),
    fc.subarray(peers).map((some) => members(...some)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 3000 }), event), { maxLength: 80 }), (script) => {
      let state = play([[0, members(...peers)]]).state;
      let now = 0;
      const check = (): void => {
        const states = [...state.targets.values()].map((target) => target.state);
        expect(states.filter((one) => one === 'dialing').length).toBeLessThanOrEqual(8);
      };
      for (const [wait, next] of script) {
        now += wait;
        const step = stepDialer(state, next, now, half);
        for (const effect of step.effects) {
          const isLost = next.tag === 'down' && next.peer === effect.peer;
          if (effect.tag === 'dial' && !isLost) expect(state.targets.get(effect.peer)?.state).not.toBe('up');
        }
        state = step.state;
        check();
      }
      // From here every dial succeeds: soon all are linked.
      for (let round = 0; round < 60; round += 1) {
        now += 1000;
        state = stepDialer(state, { tag: 'tick' }, now, half).state;
        for (const [id, target] of state.targets)
          if (target.state === 'dialing') state = stepDialer(state, { tag: 'up', peer: id }, now, half).state;
      }
      expect([...state.targets.values()].every((target) => target.state === 'up')).toBe(true);
    }),
  );
});

test('a first try that ran out of time is followed by fewer at one time, each with more of it', () => {
  const many = Array.from({ length: 20 }, (_, at) => ({ peer: `z${at}` as PeerId, addrs: ['/a'] }));
  const start = play([[0, { tag: 'members', members: many }]]);
  expect(start.effects).toHaveLength(4);
  const slow = 'z0' as PeerId;
  const late = stepDialer(start.state, { tag: 'failed', peer: slow, isLate: true }, 4_000, half);
  expect(late.effects).toEqual([]);
  expect(late.state.width).toBe(2);
  const alone = play([[0, members(later)]]).state;
  const failed = stepDialer(alone, { tag: 'failed', peer: later, isLate: true }, 4_000, half).state;
  const again = stepDialer(failed, { tag: 'tick' }, 5_000, half);
  expect(again.effects).toMatchObject([{ tag: 'dial', peer: later, patienceMs: 8_000 }]);
});
