import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectEngine } from '../../agent/lib/engine.ts';
import { StackEngine } from '../../agent/stack/engine.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { eventually } from '../helpers/eventually.ts';
import { dynoSpec } from '../runtimes/dyno-spec.ts';
import type { Recorder } from '../runtimes/recorder.ts';
import { keepBlob, makeLayer, makeSlug } from '../runtimes/slug.ts';
import { EngineStage } from './engine-stage.ts';
import type { OwnEngine } from './own-engine.ts';

const SMALL_MIB = 64;
const LARGE_MIB = 512;
const MIB = 1024 ** 2;

let stage: EngineStage;
let dir: string;
let engine: OwnEngine;
let runtime: Runtime;
let events: Recorder;

beforeAll(async () => {
  stage = await EngineStage.open({ disk: { type: 'tmpfs', mib: SMALL_MIB } });
  ({ dir, engine, runtime, events } = stage);
});
afterAll(() => stage[Symbol.asyncDispose]());

/** So many bytes of text that nothing packs away. */
function noise(mib: number): string {
  return randomBytes((mib * MIB) / 2).toString('hex');
}

function tarOf(content: string): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: './content' }, content);
  tar.finalize();
  return buffer(tar);
}

async function imagesAndContainers(): Promise<readonly string[]> {
  const [images, containers] = await Promise.all([
    engine.docker('images', '-aq', '--no-trunc'),
    engine.docker('ps', '-aq', '--no-trunc', '--filter', 'label=kith.role=image'),
  ]);
  return [...images.split('\n'), ...containers.split('\n')].filter((id) => id !== '').toSorted();
}

test('a slug that finds no room is refused, leaves nothing half-made, and starts once there is room', async () => {
  const before = await imagesAndContainers();
  const freeMiB = await engine.freeMiB();
  const layer = await makeLayer(dir, { small: 'layer' });
  const slug = await makeSlug(dir, { big: `${noise(SMALL_MIB * 2)}\n` }, [layer]);
  const refused = await runtime.prepare(slug).catch((error: unknown) => error);
  expect(refused).toMatchObject({ name: 'PlatformError', code: 'disk_full' });
  expect(String(refused)).toContain(slug.id);
  expect(String(refused)).toContain('no space left');
  await runtime.collect(new Set());
  await eventually(async () => expect(await imagesAndContainers()).toEqual(before), { withinMs: 60_000 });
  await eventually(async () => expect(await engine.freeMiB()).toBeGreaterThanOrEqual(freeMiB - 2), {
    withinMs: 60_000,
  });
  await engine.resizeDisk(LARGE_MIB);
  const wanted = dynoSpec(slug, 'cat small; echo; wc -c <big');
  await runtime.start(wanted);
  expect((await events.exited(wanted.dyno, 60_000)).status).toBe(0);
  expect(events.lines(wanted.dyno)).toEqual(['layer', `${SMALL_MIB * 2 * MIB + 1}`]);
  await runtime.remove(wanted.dyno);
  await runtime.collect(new Set());
  await engine.resizeDisk(SMALL_MIB);
}, 300_000);

test('a dyno that fills the disk keeps the next from starting, with reason; what it frees is free', async () => {
  const slug = await makeSlug(dir, { file: 'x' });
  await runtime.prepare(slug);
  const freeMiB = await engine.freeMiB();
  // Nothing that it says now is kept: the Engine keeps the output of containers on this very disk. It takes what is freed, too,
  // such as by a container that the Engine could not make any more.
  const greedy = dynoSpec(
    slug,
    'trap ": >rest; echo freed; exit 3" TERM; while :; do cat /dev/zero >>rest; sleep 0.1; done 2>/dev/null',
  );
  await runtime.start(greedy);
  await eventually(async () => expect(await engine.freeMiB()).toBe(0), { withinMs: 60_000 });
  const refused = await runtime.start(dynoSpec(slug, 'echo here')).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'disk_full' });
  expect(events.tags(greedy.dyno)).not.toContain('exited');
  await runtime.signal(greedy.dyno, 'SIGTERM');
  expect((await events.exited(greedy.dyno)).status).toBe(3);
  expect(events.lines(greedy.dyno)).toContain('freed');
  await runtime.remove(greedy.dyno);
  await eventually(async () => expect(await engine.freeMiB()).toBeGreaterThanOrEqual(freeMiB - 2), {
    withinMs: 60_000,
  });
  const again = dynoSpec(slug, 'echo here');
  await eventually(() => runtime.start(again).then(() => true), { withinMs: 60_000 });
  await events.line(again.dyno, 'here');
  await events.exited(again.dyno);
  await runtime.remove(again.dyno);
}, 300_000);

test('a stack that finds no room makes no image, and the Engine’s words are passed on', async () => {
  const stack = new StackEngine(await connectEngine(engine.host));
  const { id, path } = await keepBlob(dir, await tarOf(noise(SMALL_MIB * 2)));
  const imported = (): Promise<void> =>
    stack.import('kith/test-stack:full', id, path, AbortSignal.timeout(120_000));
  await expect(imported()).rejects.toThrow('no space left');
  expect(await stack.image('kith/test-stack:full')).toBeNull();
  await engine.resizeDisk(LARGE_MIB);
  await imported();
  expect(await stack.image('kith/test-stack:full')).toEqual({ blob: id });
  await engine.docker('rmi', 'kith/test-stack:full');
  await engine.resizeDisk(SMALL_MIB);
}, 300_000);
