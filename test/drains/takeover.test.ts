import { decode } from '@ipld/dag-cbor';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { SyslogReceiver } from './receivers.ts';
import { type DrainPeer, DrainStage, numbers, openScene } from './stage.ts';

const WAIT = { withinMs: 20_000 };

/** The cursor that a peer gossiped last. */
function lastTold({ mesh }: DrainPeer): readonly (readonly [string, number, number])[] | undefined {
  const data = mesh.published.findLast(({ topic }) => topic === 'kith/drain-cursors')?.data;
  return data && decode<{ rows: readonly (readonly [string, number, number])[] }>(data).rows;
}

test('a drain that is handed over goes on where it was: nothing is lost, nothing comes twice', async () => {
  await using scene = await openScene();
  const { stage, receiver, drain } = scene;
  const [ash, birch] = [await stage.add('ash'), await stage.add('birch')];
  ash.carry(drain);
  ash.say(...numbers(1, 50));
  await eventually(() => receiver.texts.length === 50, WAIT);
  await ash.leave(drain);
  ash.say(...numbers(51, 60));
  birch.carry(drain);
  await eventually(() => receiver.texts.includes('line 60'), WAIT);
  expect(receiver.texts).toEqual(numbers(1, 60));
});

test('a peer that takes a drain over has the one that still carries it end that first', async () => {
  await using scene = await openScene();
  const { stage, receiver, drain } = scene;
  const [ash, birch] = [await stage.add('ash'), await stage.add('birch')];
  ash.carry(drain);
  ash.say(...numbers(1, 50));
  await eventually(() => receiver.texts.length === 50, WAIT);
  birch.carry(drain);
  await eventually(() => receiver.connections === 2 || (ash.say('more'), false), WAIT);
  const texts = receiver.texts.filter((text) => text !== 'more');
  expect(texts).toEqual(numbers(1, 50));
});

test('after a carrier has vanished, the next sends what is not known to have arrived, and not all again', async () => {
  await using scene = await openScene();
  const { stage, receiver, drain } = scene;
  const [ash, birch, cedar] = [await stage.add('ash'), await stage.add('birch'), await stage.add('cedar')];
  ash.carry(drain);
  cedar.say(...numbers(1, 50));
  await eventually(() => receiver.texts.length === 50, WAIT);
  // The others know by gossip how far it has got.
  await eventually(
    () => lastTold(ash)?.some(([peer, , seq]) => peer === cedar.mesh.self && seq === 50),
    WAIT,
  );
  for (const other of [birch, cedar]) stage.network.cut(ash.mesh.self, other.mesh.self);
  cedar.say(...numbers(51, 80));
  birch.carry(drain);
  await eventually(() => receiver.texts.includes('line 80'), WAIT);
  expect(receiver.texts).toEqual(numbers(1, 80));
});

test('where a cluster is split, either side’s carrier sends what it hears; healed, one goes on and nothing is missing', async () => {
  await using scene = await openScene();
  const { stage, receiver, drain } = scene;
  const [ash, birch, cedar] = [await stage.add('ash'), await stage.add('birch'), await stage.add('cedar')];
  const say = (from: number, to: number): void => {
    for (const peer of [ash, birch, cedar]) {
      peer.say(...numbers(from, to).map((text) => `${peer.mesh.self} ${text}`));
    }
  };
  const hasAll = (to: number, ...peers: readonly DrainPeer[]): boolean => {
    const texts = new Set(receiver.texts);
    return peers.every(({ mesh }) => numbers(1, to).every((text) => texts.has(`${mesh.self} ${text}`)));
  };
  ash.carry(drain);
  say(1, 20);
  await eventually(() => hasAll(20, ash, birch, cedar), WAIT);
  for (const other of [birch, cedar]) stage.network.cut(ash.mesh.self, other.mesh.self);
  // The others take it for dead; it goes on with what it hears, which is itself.
  birch.carry(drain);
  say(21, 40);
  await eventually(() => hasAll(40, ash, birch, cedar), WAIT);
  for (const other of [birch, cedar]) stage.network.heal(ash.mesh.self, other.mesh.self);
  await birch.leave(drain);
  say(41, 60);
  await eventually(() => hasAll(60, ash, birch, cedar), WAIT);
});

test('a backlog larger than the buffer gets through whole while the receiver takes it', async () => {
  await using scene = await openScene();
  const { stage, receiver, drain } = scene;
  const peers = [await stage.add('ash'), await stage.add('birch'), await stage.add('cedar')] as const;
  for (const peer of peers)
    peer.say(...numbers(1, 1_450).map((text) => `${peer.mesh.self} ${text} ${'x'.repeat(100)}`));
  peers[0].carry(drain);
  await eventually(() => receiver.texts.length >= 3 * 1_450, WAIT);
  expect(receiver.texts.filter((text) => text.startsWith('Error'))).toEqual([]);
  expect(new Set(receiver.texts).size).toBe(3 * 1_450);
});

test('after all peers have restarted, a drain goes on where it was', async () => {
  await using dir = await tempDir();
  await using receiver = await SyslogReceiver.open();
  const url = `syslog://127.0.0.1:${receiver.port}`;
  const id = await (async () => {
    await using stage = new DrainStage(dir.path);
    const ash = await stage.add('ash');
    const drain = stage.drain(url);
    ash.carry(drain);
    ash.say(...numbers(1, 20));
    await eventually(() => receiver.texts.length === 20, WAIT);
    return drain;
  })();
  await using stage = new DrainStage(dir.path);
  const ash = await stage.add('ash');
  stage.drain(url, id);
  ash.say('after');
  ash.carry(id);
  await eventually(() => receiver.texts.includes('after'), WAIT);
  expect(receiver.texts).toEqual([...numbers(1, 20), 'after']);
});
