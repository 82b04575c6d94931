import { expect, test } from 'vitest';
import type { PeerId, VolumeId } from '../../src/ids.ts';
import { nextPlacementWake } from '../../src/placement/plan.ts';
import type { SlotVolume } from '../../src/placement/types.ts';
import { dynoFact, peerAt, planFor, summary, wantedSlot } from '../placement/builders.ts';

function volumeOn(peer: string, patch: Partial<SlotVolume> = {}): SlotVolume {
  return {
    volume: 'v1' as VolumeId,
    name: 'data',
    peer: peer as PeerId,
    copy: 'c1',
    path: '/app/data',
    stopped: null,
    ...patch,
  };
}

const pinned = wantedSlot('blog/web.1', { volumes: [volumeOn('pi')] });

test('a slot with a volume is started by the peer that has it, and by no other', () => {
  const peers = [peerAt('ash'), peerAt('pi', { capacity: { memoryMiB: 1_024, cpus: 1 } })];
  const state = planFor('pi', [pinned], peers).state;
  expect(summary(planFor('pi', [pinned], peers, { at: 10_000, state }))).toEqual(['start web.1']);
  expect(summary(planFor('ash', [pinned], peers, { at: 60_000 }))).toEqual([]);
});

test('nobody takes it over when that peer is down, and the reason names volume and peer', () => {
  const pi = peerAt('pi', { dynos: [dynoFact(pinned)] }, 'down', 0);
  const plan = planFor('ash', [pinned], [peerAt('ash'), pi], { at: 600_000, members: 2 });
  expect(summary(plan)).toEqual([]);
  expect(plan.unplaced).toEqual([
    { slot: pinned.slot, reason: 'Waits for its volume "data" on "pi", which is not reachable' },
  ]);
  expect(nextPlacementWake(plan.state)).toBe(Infinity);
});

test('dynos of a volume that is being copied stop, and are not started', () => {
  const held = { ...pinned, volumes: [volumeOn('pi', { stopped: 'is being moved' })] };
  const running = dynoFact(pinned);
  const plan = planFor('pi', [held], [peerAt('ash'), peerAt('pi', { dynos: [running] })]);
  expect(summary(plan)).toEqual([`stop ${running.dyno} unwanted`]);
  const stopped = planFor('pi', [held], [peerAt('ash'), peerAt('pi')]);
  expect(summary(stopped)).toEqual([]);
  expect(stopped.unplaced.map(({ reason }) => reason)).toEqual(['Its volume "data" is being moved']);
});

test('the old dyno goes before the new one comes, and is gone before it does', () => {
  const old = dynoFact(pinned, { generation: 'g0' });
  expect(summary(planFor('pi', [pinned], [peerAt('pi', { dynos: [old] })]))).toEqual([
    `stop ${old.dyno} replaced`,
  ]);
  const leaving = { ...old, phase: 'stopping' as const };
  expect(summary(planFor('pi', [pinned], [peerAt('pi', { dynos: [leaving] })]))).toEqual([]);
  expect(summary(planFor('pi', [pinned], [peerAt('pi')]))).toEqual(['start web.1']);
});

test('of three dynos with one volume, one serves on while the others are replaced', () => {
  const slots = [1, 2, 3].map((n) => wantedSlot(`blog/web.${n}`, { volumes: [volumeOn('pi')] }));
  const olds = slots.map((slot) => dynoFact(slot, { generation: 'g0' }));
  const [first, second] = olds;
  expect(summary(planFor('pi', slots, [peerAt('pi', { dynos: olds })]))).toEqual([
    `stop ${first?.dyno} replaced`,
    `stop ${second?.dyno} replaced`,
  ]);
});

test('a volume that is mounted first draws its slot to its peer, which starts before the other stops', () => {
  const before = dynoFact(pinned, { generation: 'g0' });
  const peers = [peerAt('ash', { dynos: [before] }), peerAt('pi')];
  expect(summary(planFor('pi', [pinned], peers))).toEqual(['start web.1']);
  expect(summary(planFor('ash', [pinned], peers))).toEqual([]);
  const after = [peerAt('ash', { dynos: [before] }), peerAt('pi', { dynos: [dynoFact(pinned)] })];
  expect(summary(planFor('ash', [pinned], after))).toEqual([`stop ${before.dyno} moved`]);
});

test('volumes on two peers keep a slot from running, and the reason says so', () => {
  const torn = wantedSlot('blog/web.1', { volumes: [volumeOn('pi'), volumeOn('ash', { name: 'more' })] });
  const { unplaced } = planFor('pi', [torn], [peerAt('ash'), peerAt('pi')]);
  expect(unplaced[0]?.reason).toContain('"data" and "more" are on different peers');
});
