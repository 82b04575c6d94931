import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DynoId } from '../../src/ids.ts';
import type { DynoSpec, Runtime } from '../../src/shell/runtime.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import { eventually } from '../helpers/eventually.ts';
import type { Recorder } from '../runtimes/recorder.ts';
import { makeSlug } from '../runtimes/slug.ts';
import { EngineStage } from './engine-stage.ts';
import type { OwnEngine } from './own-engine.ts';
import { dynoSpec } from '../runtimes/dyno-spec.ts';

/** Moments of a start or a removal, from its beginning on. */
const MOMENTS_MS = [0, 40, 120, 300, 600];

let stage: EngineStage;
let dir: string;
let engine: OwnEngine;
let runtime: Runtime;
let events: Recorder;
let slug: SlugFiles;

beforeAll(async () => {
  stage = await EngineStage.open();
  ({ dir, engine, runtime, events } = stage);
  slug = await makeSlug(dir, { file: 'x' });
});
afterAll(() => stage[Symbol.asyncDispose]());

function spec(command: string): DynoSpec {
  return dynoSpec(slug, command);
}

async function start(command: string): Promise<DynoId> {
  const wanted = spec(command);
  await runtime.start(wanted);
  return wanted.dyno;
}

async function containers(...filters: readonly string[]): Promise<string[]> {
  const args = filters.flatMap((filter) => ['--filter', filter]);
  const found = await engine.docker('ps', '-aq', ...args);
  return found.split('\n').filter((id) => id !== '');
}

/** Only berths in spare are left: two at most. */
async function isClean(): Promise<boolean> {
  const [dynos, images, all] = await Promise.all([
    containers('label=kith.role=dyno'),
    containers('label=kith.role=image'),
    containers(),
  ]);
  return dynos.length === 0 && images.length === 0 && all.length <= 2;
}

test('an Engine that stays away is told, and its return; what died with it is told as ended', async () => {
  const dyno = await start('echo up; sleep 1000; true');
  await events.line(dyno, 'up');
  await engine.kill();
  await eventually(() => events.availability.at(-1)?.on === false, { withinMs: 60_000 });
  expect(events.availability.at(-1)?.reason).toContain('Docker Engine');
  expect(events.tags(dyno)).not.toContain('exited');
  await expect(start('true')).rejects.toMatchObject({ code: 'unavailable' });
  await engine.startDaemon();
  await eventually(() => events.availability.at(-1)?.on === true, { withinMs: 60_000 });
  // This Engine does not keep containers over its own restart.
  expect([137, 143]).toContain((await events.exited(dyno, 60_000)).status);
  await runtime.remove(dyno);
  const next = await start('echo again; exit 3');
  expect((await events.exited(next)).status).toBe(3);
  await runtime.remove(next);
}, 300_000);

test('an Engine killed in the middle of a start leaves nothing behind, and the next start works', async () => {
  for (const moment of MOMENTS_MS) {
    const wanted = spec('sleep 1000; true');
    const starting = runtime.start(wanted).then(
      () => true,
      () => false,
    );
    await sleep(moment);
    await engine.kill();
    const isStarted = await starting;
    await engine.startDaemon();
    if (isStarted) {
      await events.exited(wanted.dyno, 60_000);
      await runtime.remove(wanted.dyno);
    }
    await eventually(isClean, { withinMs: 60_000, everyMs: 200 });
  }
  const next = await eventually(() => start('exit 4'), { withinMs: 60_000 });
  expect((await events.exited(next)).status).toBe(4);
  await runtime.remove(next);
}, 600_000);

test('an Engine killed in the middle of a stop has removed all once it is back', async () => {
  for (const moment of MOMENTS_MS.slice(0, 3)) {
    const dyno = await eventually(() => start('echo up; sleep 1000; true'), { withinMs: 60_000 });
    await events.line(dyno, 'up');
    const stopping = Promise.allSettled([runtime.signal(dyno, 'SIGKILL'), runtime.remove(dyno)]);
    await sleep(moment);
    await engine.kill();
    await stopping;
    await engine.startDaemon();
    await eventually(isClean, { withinMs: 60_000, everyMs: 200 });
  }
}, 600_000);

test('an Engine killed while it makes an image of a slug makes it anew', async () => {
  const big = await makeSlug(dir, { big: 'x'.repeat(50_000_000), small: 'y' });
  const preparing = runtime.prepare(big).catch(() => {});
  await sleep(150);
  await engine.kill();
  await preparing;
  await engine.startDaemon();
  await eventually(isClean, { withinMs: 60_000, everyMs: 200 });
  const wanted = { ...spec('wc -c <big; cat small'), slug: big };
  await eventually(() => runtime.start(wanted).then(() => true), { withinMs: 60_000 });
  await events.exited(wanted.dyno);
  await runtime.remove(wanted.dyno);
}, 300_000);
