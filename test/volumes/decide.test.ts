import { expect, test } from 'vitest';
import type { BackupId, OpId, PeerId, VolumeId } from '../../src/ids.ts';
import { generationOf } from '../../src/ledger/apps/generation.ts';
import type { Command } from '../../src/ledger/command.ts';
import {
  appId,
  blobId,
  clusterWithApp,
  deploy,
  refusal,
  sync,
  WEB,
  type TestPeer,
} from '../ledger/builders.ts';

const APP = appId(1);
const id = (n: number): VolumeId => `00000000-0000-4000-8000-00000000000${n}` as VolumeId;
const COPY = '00000000000000c1';

function create(peer: PeerId, n = 1, name = 'data'): Command {
  return { type: 'volume.create', app: APP, volume: id(n), name, place: { peer, copy: COPY } };
}

function mount(process: string, path: string, n = 1): Command {
  return { type: 'volume.mount', app: APP, volume: id(n), mount: { process, path } };
}

function ready(by: PeerId, n = 1): Command {
  return { type: 'volume.ready', app: APP, volume: id(n), by, copy: COPY };
}

/** Two peers; the first has the volume. */
function withVolume(): readonly [TestPeer, TestPeer] {
  const [a, b] = clusterWithApp(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  a.run(deploy('one'));
  a.run(create(a.id));
  a.run(ready(a.id));
  sync(a, b);
  return [a, b];
}

test('what is mounted is part of a generation, and is again what it was when it is mounted no more', () => {
  const [a] = withVolume();
  const before = generationOf(a.app(), WEB, 1);
  a.run(mount('web', '/app/data'));
  expect(generationOf(a.app(), WEB, 1)).not.toBe(before);
  a.run({ type: 'volume.mount', app: APP, volume: id(1), mount: null });
  expect(generationOf(a.app(), WEB, 1)).toBe(before);
});

test.each([
  ['web', '/app', 'where the app or its system is'],
  ['web', '/etc/x', 'where the app or its system is'],
  ['web', 'data', 'not a plain absolute path'],
  ['web', '/app/../etc', 'not a plain absolute path'],
  ['web', '/app/data/', 'not a plain absolute path'],
  ['we b', '/app/data', 'no dyno of that type'],
])('a volume is not mounted at %s:%s', (process, path, why) => {
  const [a] = withVolume();
  expect(refusal(a.decide(mount(process, path))).message).toContain(why);
});

test('two volumes of one type are on one peer, beside each other', () => {
  const [a, b] = withVolume();
  a.run(mount('web', '/app/data'));
  a.run(create(a.id, 2, 'more'));
  a.run(ready(a.id, 2));
  expect(refusal(a.decide(mount('web', '/app/data/more', 2))).message).toContain('another volume is there');
  expect(a.decide(mount('web', '/app/more', 2)).ok).toBe(true);
  a.run(create(b.id, 3, 'far'));
  sync(a, b);
  b.run({ type: 'volume.ready', app: APP, volume: id(3), by: b.id, copy: COPY });
  expect(refusal(b.decide(mount('web', '/app/far', 3))).message).toContain('on another peer');
});

test('only the peer that has a volume holds it or gives it away, under the hold that it was copied under', () => {
  const [a, b] = withVolume();
  const hold = (by: PeerId): Command => ({ type: 'volume.hold', app: APP, volume: id(1), by, why: 'move' });
  const to = { peer: b.id, copy: '00000000000000c2' };
  const move = (held: OpId): Command => ({
    type: 'volume.move',
    app: APP,
    volume: id(1),
    by: a.id,
    hold: held,
    to,
  });
  const release: Command = { type: 'volume.hold', app: APP, volume: id(1), by: a.id, why: null };
  expect(refusal(b.decide(hold(b.id))).message).toContain('it is on another peer');
  const [ended] = a.run(hold(a.id));
  a.run(release);
  const [held] = a.run(hold(a.id));
  expect(refusal(a.decide(move(ended?.id as OpId))).message).toContain('were not stopped');
  a.run(move(held?.id as OpId));
  expect(refusal(a.decide(hold(a.id))).code).toBe('conflict');
  expect(a.app().volumes.get(id(1))).toMatchObject({ ready: false, hold: 'move', place: { peer: b.id } });
});

test('a volume on its way to a peer that is removed goes back to where it came from', () => {
  const [a, b] = withVolume();
  const at = { app: APP, volume: id(1), by: a.id } as const;
  const [held] = a.run({ type: 'volume.hold', ...at, why: 'move' });
  const to = { peer: b.id, copy: '00000000000000c2' };
  a.run({ type: 'volume.move', ...at, hold: held?.id as OpId, to });
  const back: Command = { type: 'volume.return', app: APP, volume: id(1), by: a.id };
  expect(refusal(a.decide(back)).code).toBe('conflict');
  a.run({ type: 'member.remove', peer: b.id });
  a.run(back);
  expect(a.app().volumes.get(id(1))).toMatchObject({
    ready: true,
    hold: null,
    place: { peer: a.id, copy: COPY },
  });
});

test('a volume that is mounted is not destroyed; one that is destroyed is remembered as such', () => {
  const [a] = withVolume();
  a.run(mount('web', '/app/data'));
  const destroy: Command = { type: 'volume.destroy', app: APP, volume: id(1) };
  expect(refusal(a.decide(destroy)).message).toContain('"web" has it mounted');
  a.run({ type: 'volume.mount', app: APP, volume: id(1), mount: null });
  a.run(destroy);
  expect(a.app().volumes.size).toBe(0);
  expect([...a.app().destroyedVolumes]).toEqual([id(1)]);
});

test('a creation that a home writes again, late, does not take a volume back to where it was made', () => {
  const [a, b] = withVolume();
  const at = { app: APP, volume: id(1), by: a.id } as const;
  const [held] = a.run({ type: 'volume.hold', ...at, why: 'move' });
  const to = { peer: b.id, copy: '00000000000000c2' };
  a.run({ type: 'volume.move', ...at, hold: held?.id as OpId, to });
  a.write({
    kind: 'volume.create',
    app: APP,
    volume: id(1),
    name: 'data',
    place: { peer: a.id, copy: COPY },
  });
  expect(a.app().volumes.get(id(1))).toMatchObject({ place: to, ready: false });
});

test('what only one-off dynos and release commands see is mounted as anything else', () => {
  const [a] = withVolume();
  const before = generationOf(a.app(), WEB, 1);
  a.run(mount('release', '/app/data'));
  expect(a.app().volumes.get(id(1))?.mount).toMatchObject({ type: 'release' });
  expect(generationOf(a.app(), WEB, 1)).toBe(before);
});

test('a backup is kept until it is given up, for longer than its volume, by whoever is asked', () => {
  const [a, b] = withVolume();
  const backup = '0000000a' as BackupId;
  const kept = { peer: b.id, archive: blobId('archive'), bytes: 9 };
  const keep: Command = { type: 'volume.backup', app: APP, volume: id(1), backup, kept };
  a.run(keep);
  expect(a.run(keep)).toEqual([]);
  a.run({ type: 'volume.destroy', app: APP, volume: id(1) });
  sync(a, b);
  expect(b.app().backups.get(backup)).toMatchObject({ name: 'data', volume: id(1), bytes: 9 });
  b.run({ ...keep, kept: null });
  sync(a, b);
  expect(a.app().backups.size).toBe(0);
  expect(refusal(a.decide({ ...keep, kept: null })).message).toBe("Couldn't find that backup.");
  expect(refusal(a.decide({ ...keep, volume: id(7) })).message).toBe("Couldn't find that volume.");
});

test('a peer whose volumes would be lost with it is removed only by force', () => {
  const [a, b] = withVolume();
  const remove: Command = { type: 'member.remove', peer: a.id };
  expect(refusal(b.decide(remove))).toMatchObject({ code: 'conflict' });
  expect(refusal(b.decide(remove)).message).toContain('volume "data" of "blog" is there and would be lost');
  expect(b.decide({ ...remove, force: true }).ok).toBe(true);
  // While it moves, who had it before has it still.
  const [hold] = a.run({ type: 'volume.hold', app: APP, volume: id(1), by: a.id, why: 'move' });
  const to = { peer: b.id, copy: '00000000000000c2' };
  a.run({ type: 'volume.move', app: APP, volume: id(1), by: a.id, hold: hold?.id as OpId, to });
  sync(a, b);
  expect(b.decide(remove).ok).toBe(false);
  b.run({ type: 'volume.ready', app: APP, volume: id(1), by: b.id, copy: to.copy });
  expect(b.decide(remove).ok).toBe(true);
});
