import { expect, test } from 'vitest';
import type { AppId, DrainId } from '../../src/ids.ts';
import { Stage } from '../sim/stage.ts';
import type { SimPeer } from '../sim/sim-peer.ts';

const COUNT = 12;

function drainIdOf(n: number): DrainId {
  return `d0000000-0000-4000-8000-${String(n).padStart(12, '0')}` as DrainId;
}

/** Three peers and an app with a dozen drains: as many duties. */
function stageWithDuties(): { readonly stage: Stage; readonly app: AppId } {
  const stage = new Stage(3);
  const apps = ['blog', 'shop', 'wiki'].map((name) => stage.create(stage.peer(0), name));
  for (let n = 0; n < COUNT; n += 1) {
    const drain = drainIdOf(n);
    const app = apps[n % 3] as AppId;
    stage.do(stage.peer(n % 3), {
      type: 'drain.add',
      app,
      drain,
      token: `d.${drain}`,
      url: Uint8Array.of(n),
      addon: null,
    });
  }
  stage.run(2_000);
  return { stage, app: apps[0] as AppId };
}

function keys(peer: SimPeer): readonly string[] {
  return peer.duties.map(({ key }) => key);
}

/** Whether each duty is done by exactly one of these. */
function areShared(peers: readonly SimPeer[]): boolean {
  const all = peers.flatMap((peer) => keys(peer));
  return all.length === COUNT && new Set(all).size === COUNT;
}

test('each duty is done by one peer, and each peer does some', () => {
  const { stage } = stageWithDuties();
  expect(areShared(stage.peers)).toBe(true);
  for (const peer of stage.peers) expect(keys(peer).length).toBeGreaterThan(0);
});

test('the duties of a peer that dies go to the others, who keep theirs; when it is back, it has them again', () => {
  const { stage } = stageWithDuties();
  const [lost, ...left] = stage.peers as [SimPeer, SimPeer, SimPeer];
  const before = left.map((peer) => keys(peer));
  const its = keys(lost);
  lost.crash('host-down');
  stage.until('the others do all', () => areShared(left), 30_000);
  left.forEach((peer, i) => expect(keys(peer)).toEqual(expect.arrayContaining([...(before[i] ?? [])])));
  lost.start();
  stage.until('it does its own again', () => areShared(stage.peers) && keys(lost).length > 0, 60_000);
  expect(new Set(keys(lost))).toEqual(new Set(its));
});

test('a peer that is being drained gives its duties away, and takes them back afterwards', () => {
  const { stage } = stageWithDuties();
  const [drained, ...left] = stage.peers as [SimPeer, SimPeer, SimPeer];
  drained.dispatch({ tag: 'draining', on: true });
  stage.until('the others do all', () => areShared(left) && keys(drained).length === 0, 5_000);
  drained.dispatch({ tag: 'draining', on: false });
  stage.until('it does some again', () => areShared(stage.peers) && keys(drained).length > 0, 5_000);
});

test('a peer that is alone does all, drained or not', () => {
  const { stage } = stageWithDuties();
  const [alone, ...others] = stage.peers as [SimPeer, SimPeer, SimPeer];
  for (const other of others) other.crash('host-down');
  stage.until('it does all', () => areShared([alone]), 30_000);
  alone.dispatch({ tag: 'draining', on: true });
  stage.run(2_000);
  expect(areShared([alone])).toBe(true);
});

test('a peer that stops does nothing for others, and they know', () => {
  const { stage } = stageWithDuties();
  const [stopping, ...left] = stage.peers as [SimPeer, SimPeer, SimPeer];
  stopping.dispatch({ tag: 'stopAll' });
  stage.until('the others do all', () => areShared(left) && keys(stopping).length === 0, 5_000);
});

test('a duty that is none any more is done by nobody', () => {
  const { stage, app } = stageWithDuties();
  stage.do(stage.peer(1), { type: 'app.destroy', app });
  stage.run(2_000);
  const all = stage.peers.flatMap((peer) => keys(peer));
  expect(all).toHaveLength((COUNT * 2) / 3);
  for (const n of [0, 3, 6, 9]) expect(all).not.toContain(`drain/${drainIdOf(n)}`);
});
