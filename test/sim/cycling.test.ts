import { expect, test } from 'vitest';
import { CYCLE_JITTER_MS, CYCLE_MS } from '../../src/dynos/cycling.ts';
import { routeTable } from '../../src/peer/route-table.ts';
import { Stage } from './stage.ts';

const HOUR_MS = 3_600_000;

test(
  'in a week every dyno is replaced once a day, and no slot is ever without a routed dyno',
  { timeout: 900_000 },
  () => {
    const stage = new Stage(1);
    const app = stage.deployed('blog', 3);
    const router = stage.peer(0);
    const began = stage.starts();
    let atOnceMax = 0;
    for (let waited = 0; waited < 7 * 24 * HOUR_MS; waited += 500) {
      stage.run(500);
      if (router.routesOf === null) throw new Error('no routes');
      const names = new Set(
        routeTable(router.routesOf, 1, { domain: null, internalHost: null }).apps[app]?.up.map(
          ({ name }) => name,
        ),
      );
      if (names.size !== 3) throw new Error(`only ${[...names].join()} routed after ${waited} ms`);
      const cycling = [...router.state.dynos.values()].filter(
        ({ isCycling, state }) => isCycling && state.tag === 'up',
      );
      atOnceMax = Math.max(atOnceMax, cycling.length);
    }
    const perSlot = (stage.starts() - began) / 3;
    expect(perSlot).toBeGreaterThanOrEqual(Math.floor((7 * 24 * HOUR_MS) / (CYCLE_MS + CYCLE_JITTER_MS)) - 1);
    expect(perSlot).toBeLessThanOrEqual(7);
    expect(atOnceMax).toBe(1);
  },
);

test('an agent that starts anew counts the day of a dyno on from its launch', () => {
  const stage = new Stage(1);
  const app = stage.deployed('blog', 1);
  const peer = stage.peer(0);
  const [first] = peer.state.dynos.values();
  stage.run(23 * HOUR_MS);
  peer.crash('agent-down');
  stage.run(5_000);
  peer.start();
  stage.run(10_000);
  const [adopted] = peer.state.dynos.values();
  expect(adopted?.dyno).toBe(first?.dyno);
  expect(Math.abs((adopted?.since ?? 0) - (first?.since ?? 0))).toBeLessThan(2_000);
  stage.run(HOUR_MS + CYCLE_JITTER_MS);
  const [fresh] = peer.state.dynos.values();
  expect(fresh?.dyno).not.toBe(first?.dyno);
  expect(stage.up(app)).toEqual(['p0 web.1']);
});

test('peers replace dynos of one app one after another, wherever they run', { timeout: 900_000 }, () => {
  const stage = new Stage(2);
  const app = stage.deployed('blog', 4);
  const ids = new Set(stage.peers.flatMap(({ state }) => [...state.dynos.keys()]));
  // Without agents the day passes quickly; dynos do not need them.
  for (const peer of stage.peers) peer.crash('agent-down');
  stage.run(CYCLE_MS - HOUR_MS / 2);
  for (const peer of stage.peers) peer.start();
  stage.run(10_000);
  expect(stage.peers.flatMap(({ state }) => [...state.dynos.keys()]).every((id) => ids.has(id))).toBe(true);
  for (let waited = 0; waited < CYCLE_JITTER_MS + HOUR_MS; waited += 1_000) {
    stage.run(1_000);
    const names = stage.up(app).map((line) => line.split(' ')[1]);
    expect(new Set(names).size).toBe(4);
    // One is replaced at a time: for a moment it and its successor are both up.
    expect(names.length).toBeLessThanOrEqual(5);
  }
  expect(stage.peers.flatMap(({ state }) => [...state.dynos.keys()]).some((id) => ids.has(id))).toBe(false);
});
