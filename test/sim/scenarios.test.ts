import { expect, test } from 'vitest';
import type { VolumeId } from '../../src/ids.ts';
import { homeKey, rendezvousOrder } from '../../src/ledger/home.ts';
import { verdictOf } from '../../src/membership/membership.ts';
import type { SimPeer } from './sim-peer.ts';
import { Stage } from './stage.ts';

test('a split in two and three with writes of one key, one name and one app on both sides ends in one state', () => {
  const stage = new Stage(5);
  const app = stage.deployed('blog', 2);
  const [a, b, c] = [stage.peer(0), stage.peer(1), stage.peer(2)];
  stage.split([a, b]);
  stage.run(10_000);
  stage.set(a, app, 'SIDE', 1);
  stage.set(c, app, 'SIDE', 2);
  stage.set(a, app, 'LEFT', 3);
  const left = stage.create(a, 'shop');
  const right = stage.create(c, 'shop');
  stage.run(2_000);
  stage.heal();
  const heads = () => stage.peers.map((peer) => stage.app(peer, app).heads.length);
  stage.until('all see one head', () => heads().every((count) => count === 1), 20_000);
  stage.run(10_000);
  for (const peer of stage.peers) {
    expect([stage.value(peer, app, 'SIDE'), stage.value(peer, app, 'LEFT')]).toEqual([2, 3]);
    const names = [left, right].map((id) => stage.app(peer, id).name);
    expect(names).toContain('shop');
    expect(names.filter((name) => /^shop-\w{4}$/.test(name))).toHaveLength(1);
    expect(names).toEqual([left, right].map((id) => stage.app(a, id).name));
    const merges = [...stage.app(peer, app).releases.values()].filter(({ cause }) => cause === 'merge');
    expect(merges).toHaveLength(1);
  }
});

test('all hosts killed and started in another order run the formation again, each slot once, without a command', () => {
  const stage = new Stage(5);
  const app = stage.deployed('blog', 6);
  for (const peer of stage.peers) peer.crash('power-off');
  stage.run(5_000);
  const before = stage.starts();
  for (const n of [3, 0, 4, 2, 1]) {
    stage.peer(n).start();
    stage.run(400);
  }
  const ms = stage.until('six dynos are up', () => stage.up(app).length === 6, 20_000);
  expect(ms).toBeLessThan(10_000);
  stage.run(60_000);
  // Those that were there first have taken all; a little of it moves to the others.
  expect(stage.starts() - before).toBeLessThanOrEqual(10);
  expect(new Set(stage.up(app).map((line) => line.split(' ')[1])).size).toBe(6);
});

test('one host that boots alone starts the web dynos from its own disk', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 4);
  for (const peer of stage.peers) peer.crash('power-off');
  stage.run(60_000);
  stage.peer(2).start();
  // The grace at boot, suspicion, the threefold grace of web dynos, then a quarter of what is missing at a time.
  const first = stage.until('one dyno is up', () => stage.up(app).length > 0, 60_000);
  expect(first).toBeLessThan(20_000);
  stage.until('all dynos are up', () => stage.up(app).length === 4, 180_000);
});

test('a peer whose clock is an hour ahead neither wins over later writes nor moves the clocks of others', () => {
  const stage = new Stage(3);
  const app = stage.deployed('blog', 1);
  const [a, b] = [stage.peer(0), stage.peer(1)];
  a.wallSkewMs = 3_600_000;
  stage.set(a, app, 'KEY', 1);
  stage.run(1_000);
  stage.set(b, app, 'KEY', 2);
  stage.do(a, { type: 'formation.scale', app, updates: [{ type: 'web', quantity: 3 }] });
  stage.do(b, { type: 'formation.scale', app, updates: [{ type: 'web', quantity: 2 }] });
  stage.run(10_000);
  for (const peer of stage.peers) {
    expect(stage.value(peer, app, 'KEY')).toBe(2);
    expect([...stage.app(peer, app).formation.values()].map(({ quantity }) => quantity)).toContain(2);
  }
  expect(stage.up(app)).toHaveLength(2);
  expect(b.state.hlc.ms).toBeLessThanOrEqual(b.now().wall + 60_000);
});

test('writes on both sides of a split are both kept when one clock is an hour behind', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 1);
  const [a, d] = [stage.peer(0), stage.peer(3)];
  a.wallSkewMs = -3_600_000;
  stage.split([a, stage.peer(1)]);
  stage.run(8_000);
  stage.set(a, app, 'A', 1);
  stage.set(d, app, 'D', 1);
  stage.heal();
  stage.run(20_000);
  for (const peer of stage.peers) {
    expect([stage.value(peer, app, 'A'), stage.value(peer, app, 'D')]).toEqual([1, 1]);
  }
  stage.set(a, app, 'D', 2);
  stage.run(5_000);
  for (const peer of stage.peers) expect(stage.value(peer, app, 'D')).toBe(2);
});

test('an agent that restarts moves nothing: its dynos keep their places and nobody starts another', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 8);
  const [places, starts] = [stage.up(app), stage.starts()];
  const peer = stage.peer(1);
  peer.crash('agent-down');
  stage.run(12_000);
  peer.start();
  stage.run(30_000);
  expect(stage.up(app)).toEqual(places);
  expect(stage.starts()).toBe(starts);
});

test('connections that break and a network that is away for a second move nothing', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 8);
  const [places, starts] = [stage.up(app), stage.starts()];
  for (const other of [0, 2, 3]) stage.sim.network.reset(stage.peer(1).peer, stage.peer(other).peer);
  stage.run(10_000);
  stage.split([stage.peer(2)]);
  stage.run(1_000);
  stage.heal();
  stage.run(30_000);
  expect(stage.up(app)).toEqual(places);
  expect(stage.starts()).toBe(starts);
});

test('a killed host is replaced within two seconds, and its return starts nothing that runs elsewhere', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 8);
  const lost = stage.peer(3);
  const held = stage.up(app).filter((line) => line.startsWith('p3 ')).length;
  const before = stage.starts();
  expect(held).toBe(2);
  lost.crash('host-down');
  const ms = stage.until('eight dynos are up', () => stage.up(app).length === 8, 10_000);
  expect(ms).toBeLessThan(2_500);
  stage.run(5_000);
  expect(stage.starts() - before).toBe(held);
  lost.start();
  stage.run(20_000);
  expect(stage.starts() - before).toBe(held);
  expect(stage.up(app)).toHaveLength(8);
});

test('a host that falls silent is replaced within ten seconds', () => {
  const stage = new Stage(5);
  const app = stage.deployed('blog', 5);
  stage.peer(2).crash('power-off');
  expect(stage.until('five dynos are up', () => stage.up(app).length === 5, 30_000)).toBeLessThan(10_000);
});

test('a fresh formation is started by exactly as many starts as it has dynos', () => {
  const stage = new Stage(5);
  const before = stage.starts();
  stage.deployed('blog', 10);
  stage.run(20_000);
  expect(stage.starts() - before).toBe(10);
});

test('the minority side of a split takes over a quarter of what vanished, not all at once', () => {
  const stage = new Stage(6);
  const app = stage.deployed('blog', 12);
  const minority = [stage.peer(0), stage.peer(1)];
  const before = minority.map((peer) => stage.starts(peer));
  stage.split(minority);
  stage.run(25_000);
  const taken = minority.reduce((sum, peer, n) => sum + stage.starts(peer) - (before[n] ?? 0), 0);
  expect(taken).toBe(2);
  stage.heal();
  stage.until('every slot runs once', () => stage.up(app).length === 12, 60_000);
});

test('a write whose home dies before it answers is made once, and a retry with its Request-Id is the same release', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 1);
  const command = { type: 'config.patch', app, config: { KEY: Uint8Array.of(7) } } as const;
  const key = homeKey(stage.peer(0).state.fold.view, command) ?? '';
  const homeId = rendezvousOrder(
    key,
    stage.peers.map(({ peer }) => peer),
  )[0];
  const home = stage.peers.find(({ peer }) => peer === homeId) as SimPeer;
  const [asker, other] = stage.peers.filter((peer) => peer !== home) as [SimPeer, SimPeer];
  home.diskDelayMs = 5_000;
  const answer = stage.ask(asker, command, 'req-1');
  stage.run(100);
  home.crash('host-down');
  stage.until('the asker answers', () => answer() !== null, 15_000);
  expect(answer()).toMatchObject({ ok: true });
  stage.do(other, command, 'req-1');
  home.diskDelayMs = 1;
  home.start();
  stage.run(20_000);
  for (const peer of stage.peers) {
    const made = [...stage.app(peer, app).releases.values()].filter(({ cause }) => cause === 'config');
    expect(made).toHaveLength(1);
    expect(stage.value(peer, app, 'KEY')).toBe(7);
  }
});

test('in a connected cluster simultaneous writes at all peers get numbers without a gap or a twin', () => {
  const stage = new Stage(5);
  const app = stage.create(stage.peer(0), 'blog');
  stage.run(1_000);
  const answers = [0, 1, 2, 3].flatMap((round) =>
    stage.peers.map((peer, n) =>
      stage.ask(peer, { type: 'config.patch', app, config: { [`K${n}`]: Uint8Array.of(round + 1) } }),
    ),
  );
  stage.until('all are answered', () => answers.every((answer) => answer() !== null), 10_000);
  stage.run(5_000);
  const numbers = [...stage.app(stage.peer(3), app).releases.values()].map(({ number }) => number);
  expect(numbers.sort((x, y) => x - y)).toEqual(Array.from({ length: 22 }, (_, n) => n + 1));
});

test('in a connected cluster a name asked for everywhere at once is given once', () => {
  const stage = new Stage(5);
  const answers = stage.peers.map((peer, n) =>
    stage.ask(peer, {
      type: 'app.create',
      app: `a0000000-0000-4000-8000-00000000000${n}` as never,
      name: 'blog',
      fallbackName: 'blog',
    }),
  );
  stage.until('all are answered', () => answers.every((answer) => answer() !== null), 10_000);
  expect(answers.filter((answer) => answer()?.ok === true)).toHaveLength(1);
});

test('what a removed peer writes afterwards counts nowhere, and it stops its dynos when it hears of it', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 4);
  const outcast = stage.peer(3);
  outcast.standing = 'removed';
  stage.split([outcast]);
  stage.run(10_000);
  stage.do(stage.peer(0), { type: 'member.remove', peer: outcast.peer });
  stage.set(outcast, app, 'EVIL', 1);
  stage.heal();
  stage.run(20_000);
  // A member that has not heard of the removal may have taken its ops, and passes them on.
  const ops = outcast.disk.all().map(({ bytes }) => bytes);
  stage.peer(0).dispatch({ tag: 'message', from: stage.peer(1).peer, message: { t: 'ops', ops: [...ops] } });
  stage.run(10_000);
  for (const n of [0, 1, 2]) {
    expect(stage.value(stage.peer(n), app, 'EVIL')).toBeUndefined();
    expect(verdictOf(stage.peer(n).state.membership, outcast.peer)).toBe('gone');
  }
  const taken = stage.up(app).filter((line) => !line.startsWith('p3 '));
  expect(taken).toHaveLength(4);
});

test('a peer that is removed while it listens stops its dynos at once', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 4);
  const outcast = stage.peer(3);
  outcast.standing = 'removed';
  stage.do(stage.peer(0), { type: 'member.remove', peer: outcast.peer });
  stage.until('it runs nothing', () => outcast.runtime.processes.size === 0, 45_000);
  stage.until('the others run all', () => stage.up(app).length === 4, 10_000);
});

test('a peer whose disk was put back to an earlier day writes on, and nothing of either past is lost', () => {
  const stage = new Stage(3);
  const app = stage.deployed('blog', 1);
  const peer = stage.peer(1);
  const restore = peer.disk.backup();
  const kept = stage.do(peer, {
    type: 'token.create',
    token: 't1',
    hash: 'h',
    user: 'a@b.c',
    description: '',
    scopes: ['global'],
    expiresAt: null,
    role: null,
  });
  stage.run(2_000);
  peer.crash('host-down');
  restore();
  peer.isRestored = true;
  stage.split([peer]);
  peer.start();
  stage.run(1_000);
  const again = stage.do(peer, {
    type: 'token.create',
    token: 't2',
    hash: 'h',
    user: 'a@b.c',
    description: '',
    scopes: ['global'],
    expiresAt: null,
    role: null,
  });
  const epoch = peer.state.epoch;
  stage.heal();
  stage.run(15_000);
  for (const each of stage.peers) {
    for (const op of [...kept, ...again]) expect(each.disk.has(op)).toBe(true);
    expect([...each.state.fold.view.tokens.keys()].sort()).toEqual(['t1', 't2']);
  }
  expect(peer.state.epoch).not.toBe(epoch);
  stage.set(peer, app, 'AFTER', 1);
  stage.run(2_000);
  for (const each of stage.peers) expect(stage.value(each, app, 'AFTER')).toBe(1);
});

test('a peer that drains gives its dynos away start-first, and the cluster never runs fewer', () => {
  const stage = new Stage(3);
  const app = stage.deployed('blog', 6);
  const peer = stage.peer(2);
  peer.dispatch({ tag: 'draining', on: true });
  let least = 6;
  stage.until(
    'nothing is left there',
    () => {
      least = Math.min(least, new Set(stage.up(app).map((line) => line.split(' ')[1])).size);
      return stage.up(app).every((line) => !line.startsWith('p2 '));
    },
    30_000,
  );
  expect(least).toBe(6);
});

test('a deploy that is repeated with its Request-Id at another peer is the same release', () => {
  const stage = new Stage(4);
  const app = stage.create(stage.peer(0), 'blog');
  const once = stage.deploy(stage.peer(1), app, 'one', 'req-7');
  const again = stage.deploy(stage.peer(2), app, 'one', 'req-7');
  expect(again[0]).toBe(once[0]);
  stage.run(2_000);
  const causes = [...stage.app(stage.peer(3), app).releases.values()].map(({ cause }) => cause);
  expect(causes.filter((cause) => cause === 'deploy')).toHaveLength(1);
});

test('a host on which nothing will start hands its share to the others', () => {
  const stage = new Stage(3);
  stage.peer(1).runtime.faults.bootFailChance = 1;
  const app = stage.deployed('blog', 6);
  expect(stage.up(app).filter((line) => line.startsWith('p1 '))).toEqual([]);
});

test('a release command whose peer dies in the middle runs again on another, and no dyno changes before it succeeded', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 3);
  const before = stage.app(stage.peer(0), app).current;
  stage.deploy(stage.peer(0), app, 'two', null, { release: 'migrate' });
  const release = (at: SimPeer) => {
    const { releases, heads } = stage.app(at, app);
    return [...releases.values()].find(({ id }) => id === heads[0]);
  };
  stage.until('somebody runs it', () => release(stage.peer(0))?.attempts.length === 1, 5_000);
  const runner = stage.peers.find(
    ({ peer }) => peer === release(stage.peer(0))?.attempts[0]?.peer,
  ) as SimPeer;
  runner.crash('power-off');
  const others = stage.peers.filter((peer) => peer !== runner);
  const [other] = others as [SimPeer];
  expect(stage.app(other, app).current).toBe(before);
  stage.until('another runs it', () => (release(other)?.attempts.length ?? 0) > 1, 30_000);
  stage.until('it is settled', () => others.every((peer) => release(peer)?.status !== 'pending'), 20_000);
  const now = stage.app(other, app).current;
  expect(now === before).toBe(release(other)?.status === 'failed');
  stage.until('all dynos are up', () => stage.up(app).length === 3, 60_000);
});

test('a release command runs where its volume is, and waits while that is away or being copied', () => {
  const stage = new Stage(4);
  const app = stage.deployed('blog', 2);
  const host = stage.peer(2);
  const volume = '00000000-0000-4000-8000-0000000000aa' as VolumeId;
  const ref = { app, volume, by: host.peer };
  const place = { peer: host.peer, copy: '00000000000000c1' };
  stage.do(stage.peer(0), { type: 'volume.create', app, volume, name: 'data', place });
  stage.do(host, { type: 'volume.ready', ...ref, copy: place.copy });
  const mount = { process: 'release', path: '/app/data' };
  stage.do(host, { type: 'volume.mount', app, volume, mount });
  stage.do(host, { type: 'volume.hold', ...ref, why: 'backup' });
  stage.run(2_000);
  stage.deploy(stage.peer(0), app, 'two', null, { release: 'migrate' });
  const attempts = () => {
    const { releases, heads } = stage.app(stage.peer(0), app);
    return [...releases.values()].find(({ id }) => id === heads[0])?.attempts ?? [];
  };
  stage.run(20_000);
  expect(attempts()).toEqual([]);
  stage.do(host, { type: 'volume.hold', ...ref, why: null });
  stage.until('somebody runs it', () => attempts().length === 1, 10_000);
  expect(attempts()[0]?.peer).toBe(host.peer);
});
