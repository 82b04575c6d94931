import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PeerId } from '../../src/ids.ts';
import { nextMembershipWake } from '../../src/membership/membership.ts';
import { MembershipNet } from './membership-net.ts';

const REFUSED = { agent: 'refused', router: 'refused' } as const;
const RESTARTING = { agent: 'refused', router: 'open' } as const;

function healthyNet(size: number, seed = 1): MembershipNet {
  const net = new MembershipNet(size, seed);
  net.runUntil(() => net.isWhole(), 2_000);
  net.run(1_000);
  return net;
}

const others = (net: MembershipNet, of: PeerId) => net.ids.filter((peer) => peer !== of);
const allSay = (net: MembershipNet, of: PeerId, verdict: string) => () =>
  others(net, of).every((by) => net.verdict(of, by) === verdict);

test('connected peers see one another alive, and stay so', () => {
  const net = healthyNet(5);
  net.run(60_000);
  expect(net.isWhole()).toBe(true);
});

test('a member that was never heard is unreachable, and down when nobody can reach it', () => {
  const net = new MembershipNet(3);
  const [a, b] = [net.peer(0), net.peer(1)];
  const lost = net.peer(2);
  net.silence(lost);
  expect(net.verdict(lost, a)).toBe('unreachable');
  net.runUntil(() => net.verdict(lost, a) === 'down' && net.verdict(lost, b) === 'down', 15_000);
  expect(net.verdict(b, a)).toBe('alive');
});

test('an idle cluster costs each peer about four messages a second, however large it is', () => {
  for (const size of [5, 40]) {
    const net = healthyNet(size);
    net.run(5_000);
    const before = net.sent;
    net.run(10_000);
    expect((net.sent - before) / size / 10).toBeLessThan(4.5);
  }
});

test('a killed process is unreachable as soon as its connections reset, and gone once two peers find its ports refused', () => {
  for (const size of [3, 5, 20]) {
    const net = healthyNet(size);
    const victim = net.peer(1);
    net.kill(victim, REFUSED);
    net.run(11);
    expect(others(net, victim).map((by) => net.verdict(victim, by))).not.toContain('alive');
    expect(net.runUntil(allSay(net, victim, 'gone'), 2_000)).toBeLessThan(600);
  }
});

test('in a cluster of two the survivor’s own finding is proof enough', () => {
  const net = healthyNet(2);
  net.kill(net.peer(1), REFUSED);
  expect(net.runUntil(() => net.verdict(net.peer(1), net.peer(0)) === 'gone', 1_000)).toBeLessThan(50);
});

test('one observer alone proves nothing among many', () => {
  const net = healthyNet(4);
  const [a, b] = [net.peer(0), net.peer(1)];
  net.setPorts(b, REFUSED);
  net.unlink(a, b);
  net.run(300);
  expect(net.verdict(b, a)).toBe('unreachable');
  net.run(20_000);
  // The others reach it, so that it is never down; our own link alone is broken.
  expect(net.verdict(b, a)).toBe('unreachable');
  expect(net.verdict(b, net.peer(2))).toBe('alive');
  net.setPorts(b, { agent: 'open', router: 'open' });
  net.link(a, b);
  net.runUntil(() => net.isWhole(), 1_000);
});

test('a restarting agent whose router answers keeps all in place for 30 s, then is down', () => {
  const net = healthyNet(4);
  const victim = net.peer(2);
  net.kill(victim, RESTARTING);
  net.runUntil(allSay(net, victim, 'restarting'), 500);
  net.run(29_000);
  expect(allSay(net, victim, 'restarting')()).toBe(true);
  net.runUntil(allSay(net, victim, 'down'), 2_000);
});

test('a restarting agent whose router dies too is gone within a moment', () => {
  const net = healthyNet(4);
  const victim = net.peer(2);
  net.kill(victim, RESTARTING);
  net.runUntil(allSay(net, victim, 'restarting'), 500);
  net.run(3_000);
  net.setPorts(victim, REFUSED);
  net.runUntil(allSay(net, victim, 'gone'), 800);
});

test('an agent that comes back within its 30 s is simply alive', () => {
  const net = healthyNet(4);
  const victim = net.peer(2);
  net.kill(victim, RESTARTING);
  net.run(5_000);
  net.restart(victim);
  net.runUntil(() => net.isWhole(), 500);
});

test('a host that lost its power is unreachable in about a second, and down in a few', () => {
  for (const [size, unreachableMs, downMs] of [
    [3, 2_500, 6_000],
    [10, 2_500, 6_000],
    [40, 4_000, 9_000],
  ] as const) {
    const net = healthyNet(size, size);
    const victim = net.peer(1);
    net.silence(victim);
    const seen = net.runUntil(
      () => others(net, victim).every((by) => net.verdict(victim, by) !== 'alive'),
      10_000,
    );
    expect(seen).toBeLessThan(unreachableMs);
    const dead = seen + net.runUntil(allSay(net, victim, 'down'), 20_000);
    expect(dead).toBeGreaterThan(2_000);
    expect(dead).toBeLessThan(downMs);
  }
});

test('a peer that was declared dead by mistake refutes it and all see it alive again', () => {
  const net = healthyNet(5);
  const victim = net.peer(3);
  net.partition([victim], others(net, victim));
  net.runUntil(allSay(net, victim, 'down'), 30_000);
  net.heal();
  net.runUntil(() => net.isWhole(), 5_000);
  expect(net.state(victim).incarnation).toBeGreaterThan(1);
});

test('a peer that died comes back with its next incarnation', () => {
  const net = healthyNet(4);
  const victim = net.peer(0);
  net.kill(victim, REFUSED);
  net.runUntil(allSay(net, victim, 'gone'), 2_000);
  net.run(60_000);
  net.restart(victim);
  expect(net.runUntil(() => net.isWhole(), 1_000)).toBeLessThan(300);
});

test('a peer whose own event loop stalls for seconds accuses nobody', () => {
  const net = healthyNet(6);
  const slow = net.peer(0);
  net.stall(slow, 1_800);
  net.run(10_000);
  for (const of of others(net, slow)) for (const by of net.ids) expect(net.verdict(of, by)).toBe('alive');
  expect(net.isWhole()).toBe(true);
});

test('a peer that says goodbye is gone at once, and alive again when it returns', () => {
  const net = healthyNet(4);
  const leaver = net.peer(1);
  net.event(leaver, { tag: 'leave' });
  net.runUntil(allSay(net, leaver, 'gone'), 20);
  net.kill(leaver, REFUSED);
  net.run(5_000);
  net.restart(leaver);
  net.runUntil(() => net.isWhole(), 1_000);
});

test('a removed member is forgotten: no verdict, no rumour, no probe of it is left', () => {
  const net = healthyNet(3);
  const [a, , c] = net.ids as readonly [PeerId, PeerId, PeerId];
  net.silence(c);
  net.run(1_000);
  net.event(a, { tag: 'members', peers: net.ids.slice(0, 2) });
  expect(net.verdict(c, a)).toBe('gone');
  const state = net.state(a);
  expect([...state.members.keys(), ...state.rumours.keys()]).not.toContain(c);
  expect(state.probes.some((probe) => probe.target === c)).toBe(false);
});

test('nobody is declared down while a tenth of all messages is lost', () => {
  const net = healthyNet(8, 7);
  net.lossRate = 0.1;
  for (let turn = 0; turn < 120; turn += 1) {
    net.run(500);
    for (const by of net.ids) for (const of of net.ids) expect(net.verdict(of, by)).not.toBe('down');
  }
  net.lossRate = 0;
  net.runUntil(() => net.isWhole(), 10_000);
});

test('whatever was cut, killed and stalled, after the heal all living peers see one another alive', () => {
  const fault = fc.record({
    kind: fc.constantFrom('kill', 'silence', 'unlink', 'partition', 'stall', 'restart'),
    a: fc.nat(4),
    b: fc.nat(4),
    ms: fc.integer({ min: 10, max: 8_000 }),
  });
  fc.assert(
    fc.property(fc.integer(), fc.array(fault, { maxLength: 8 }), (seed, faults) => {
      const net = healthyNet(5, seed);
      const down = new Set<PeerId>();
      for (const { kind, a, b, ms } of faults) {
        const [one, two] = [net.peer(a), net.peer(b)];
        if (kind === 'stall') net.stall(one, ms);
        if (kind === 'partition') net.partition([one], others(net, one));
        if (kind === 'unlink' && one !== two) net.unlink(one, two, 5);
        if ((kind === 'kill' || kind === 'silence') && !down.has(one)) {
          down.add(one);
          if (kind === 'kill') net.kill(one, REFUSED);
          else net.silence(one);
        }
        if (kind === 'restart' && down.delete(one)) net.restart(one);
        net.run(ms);
      }
      net.heal();
      for (const peer of down) net.boot(peer);
      for (const x of net.ids) for (const y of net.ids) if (x < y) net.link(x, y);
      net.runUntil(() => net.isWhole(), 20_000);
    }),
    { numRuns: 40 },
  );
});

test('every wake-up has something to do: the clock is never asked for a moment that has passed', () => {
  const net = healthyNet(3);
  for (let turn = 0; turn < 200; turn += 1) {
    net.run(50);
    for (const peer of net.ids) expect(nextMembershipWake(net.state(peer))).toBeGreaterThan(net.now - 1);
  }
});
