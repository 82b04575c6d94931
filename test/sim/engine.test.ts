import { expect, test } from 'vitest';
import { RUNTIME_GRACE_MS } from '../../src/dynos/timeouts.ts';
import type { SimPeer } from './sim-peer.ts';
import { Stage } from './stage.ts';

const namesOf = (lines: readonly string[]) => new Set(lines.map((line) => line.split(' ')[1]));
const holdsSome = (stage: Stage): SimPeer => {
  const found = stage.peers.find(({ runtime }) => runtime.processes.size > 0);
  if (found === undefined) throw new Error('Nobody runs anything');
  return found;
};
const running = (stage: Stage) => stage.peers.reduce((sum, { runtime }) => sum + runtime.processes.size, 0);

test('an Engine that is back within its grace moves no dyno', () => {
  const stage = new Stage(3);
  const app = stage.deployed('blog', 3);
  const before = stage.up(app);
  const starts = stage.starts();
  const peer = holdsSome(stage);
  peer.runtime.goAway(false);
  stage.run(RUNTIME_GRACE_MS - 2_000);
  peer.runtime.comeBack();
  stage.run(30_000);
  expect(stage.up(app)).toEqual(before);
  expect(stage.starts()).toBe(starts);
});

test('dynos of an Engine that stays away serve until their successors are up, and end when it is back', () => {
  const stage = new Stage(3);
  const app = stage.deployed('blog', 3);
  const peer = holdsSome(stage);
  peer.runtime.goAway(false);
  const isElsewhere = () =>
    namesOf(stage.up(app).filter((line) => !line.startsWith(`${peer.name} `))).size === 3;
  const ms = stage.until('all are up elsewhere', isElsewhere, 60_000);
  expect(ms).toBeGreaterThan(RUNTIME_GRACE_MS);
  stage.run(20_000);
  // They cannot be ended yet, but nobody is sent to them any more.
  expect(running(stage)).toBeGreaterThan(3);
  peer.runtime.comeBack();
  stage.until('each slot runs once', () => running(stage) === 3, 60_000);
  stage.run(120_000);
  expect(running(stage)).toBe(3);
  expect(namesOf(stage.up(app)).size).toBe(3);
});

test('dynos that died with their Engine run elsewhere once it has been away for too long, and none runs twice later', () => {
  const stage = new Stage(3);
  const app = stage.deployed('blog', 4);
  const peer = holdsSome(stage);
  peer.runtime.goAway(true);
  stage.until('all slots run', () => running(stage) === 4, RUNTIME_GRACE_MS + 10_000);
  peer.runtime.comeBack();
  stage.run(120_000);
  expect(running(stage)).toBe(4);
  expect(namesOf(stage.up(app)).size).toBe(4);
});

test('a peer without its Engine takes no slot, and says why', () => {
  const stage = new Stage(1);
  const peer = stage.peer(0);
  const app = stage.deployed('blog', 1);
  peer.runtime.goAway(false);
  stage.run(5_000);
  const starts = stage.starts();
  stage.do(peer, { type: 'formation.scale', app, updates: [{ type: 'web', quantity: 2 }] });
  stage.run(60_000);
  expect(stage.starts()).toBe(starts);
  expect(peer.state.unplaced.map(({ reason }) => reason)).toEqual([
    'No peer can run it: "p0" cannot: the Engine does not answer',
  ]);
  // Nobody else can have the one that it lost: it goes on where it is.
  expect(stage.up(app)).toEqual(['p0 web.1']);
  peer.runtime.comeBack();
  stage.until('both are up', () => stage.up(app).length === 2, 10_000);
});

test('one peer alone whose Engine died starts its dynos again when it is back', () => {
  const stage = new Stage(1);
  const app = stage.deployed('blog', 2);
  stage.peer(0).runtime.goAway(true);
  stage.run(60_000);
  stage.peer(0).runtime.comeBack();
  stage.until('both run', () => running(stage) === 2 && stage.up(app).length === 2, 20_000);
});
