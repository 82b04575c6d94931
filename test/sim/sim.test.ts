import { expect, test } from 'vitest';
import type { AppId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { SimPeer as SimPeerOf } from './sim-peer.ts';
import { Sim } from './sim.ts';

test('the same seed gives the same run, step by step', () => {
  const first = new Sim({ seed: 77, isTraced: true }).play();
  expect(first.trace).not.toBeNull();
  expect(new Sim({ seed: 77, isTraced: true }).play()).toEqual(first);
});

test('a cluster without faults answers every command and meets its formation within seconds', () => {
  const sim = new Sim({ seed: 5, peers: 3, kinds: [] });
  sim.found();
  sim.workload.run(500);
  sim.run(20_000);
  sim.workload.stop();
  sim.run(10_000);
  expect([...sim.workload.asked.values()].filter(({ result }) => result === null)).toEqual([]);
});

test('a split in which both sides release is joined by one merge that keeps both', () => {
  const sim = new Sim({ seed: 9, peers: 4, kinds: [] });
  sim.found();
  const [a, b, c, d] = sim.peers as [SimPeerOf, SimPeerOf, SimPeerOf, SimPeerOf];
  const app = 'a0000000-0000-4000-8000-000000000001' as AppId;
  ask(a, 'create', { type: 'app.create', app, name: 'blog', fallbackName: 'blog' });
  sim.run(2_000);
  for (const left of [a, b]) {
    for (const right of [c, d]) {
      sim.network.cut(left.peer, right.peer);
      sim.network.cut(right.peer, left.peer);
    }
  }
  sim.run(15_000);
  ask(a, 'left', {
    type: 'config.patch',
    app,
    config: { SIDE: new Uint8Array([1]), LEFT: new Uint8Array([1]) },
  });
  ask(d, 'right', {
    type: 'config.patch',
    app,
    config: { SIDE: new Uint8Array([2]), RIGHT: new Uint8Array([2]) },
  });
  sim.run(8_000);
  sim.network.healAll();
  sim.run(30_000);
  for (const peer of sim.peers) {
    const view = peer.state.fold.view.apps.get(app);
    const releases = [...(view?.releases.values() ?? [])].sort((x, y) => x.number - y.number);
    expect(releases.map(({ number, cause }) => [number, cause])).toEqual([
      [1, 'create'],
      [2, 'create'],
      [3, 'config'],
      [3, 'config'],
      [4, 'merge'],
    ]);
    const merged = releases.at(-1);
    expect(view?.current).toBe(merged?.id);
    expect([...(merged?.config.keys() ?? [])].sort()).toEqual(['LEFT', 'RIGHT', 'SIDE']);
    expect(releases.slice(2, 4).every(({ label }) => /^v3\.[a-z2-7]{4}$/.test(label))).toBe(true);
  }
});

function ask(peer: SimPeerOf, id: string, command: Command): void {
  peer.dispatch({ tag: 'command', id, command, context: { user: 'ann@example.com', request: null } });
}
