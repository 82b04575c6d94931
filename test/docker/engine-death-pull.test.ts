import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectEngine } from '../../agent/lib/engine.ts';
import { StackEngine } from '../../agent/stack/engine.ts';
import { ensureStack, type StackSource } from '../../agent/stack/ensure-stack.ts';
import type { BlobId } from '../../src/ids.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { keepBlob } from '../runtimes/slug.ts';
import { openRuntimeOn } from './engine-stage.ts';
import { OwnEngine } from './own-engine.ts';

/** Moments of an import or a load that takes most of a second, from its beginning on. */
const MOMENTS_MS = [0, 60, 200, 450];
const MIB = 1024 ** 2;

let dir: Awaited<ReturnType<typeof tempDir>>;
let engine: OwnEngine;

beforeAll(async () => {
  dir = await tempDir('kith-engine-pull-');
  engine = await OwnEngine.start(`${dir.path}/engine`);
}, 120_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
}, 120_000);

/** A file system of one file, `content`, that takes a moment to unpack. */
async function someTar(): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: 'content' }, randomBytes(60 * MIB));
  tar.finalize();
  return await buffer(tar);
}

async function images(): Promise<readonly string[]> {
  const shown = await engine.docker('images', '-aq', '--no-trunc');
  return shown
    .split('\n')
    .filter((id) => id !== '')
    .toSorted();
}

/** Ends the Engine at once, and gives what came of the work that it was asked for. */
async function killDuring<T>(work: Promise<T>): Promise<T> {
  await engine.kill();
  return await work;
}

test('an Engine killed in the middle of the import of a stack keeps no half of it, and takes it at the next try', async () => {
  const before = await images();
  const { id, path } = await keepBlob(dir.path, await someTar());
  const name = 'kith/test-stack:imported';
  const source: StackSource = {
    from: 'cluster',
    blob: id,
    blobs: { has: () => true, path: () => path, fetch: async () => {} },
    holders: () => [],
  };
  const ensured = async (): Promise<string> => {
    const stack = new StackEngine(await connectEngine(engine.host));
    return await ensureStack(stack, name, source, AbortSignal.timeout(120_000));
  };
  for (const moment of MOMENTS_MS) {
    const importing = ensured();
    await sleep(moment);
    const said = await killDuring(importing.catch((error: unknown) => String(error)));
    await engine.startDaemon();
    const stack = new StackEngine(await connectEngine(engine.host));
    const found = await stack.image(name);
    if (said === 'ready') expect(found).toEqual({ blob: id });
    // It may have been done, and not have come to say so.
    if (found === null) expect(await images()).toEqual(before);
    else await engine.docker('rmi', name);
    expect(await images()).toEqual(before);
  }
  expect(await ensured()).toBe('ready');
  expect(await new StackEngine(await connectEngine(engine.host)).image(name)).toEqual({ blob: id });
  await engine.docker('rmi', name);
}, 600_000);

test('an Engine killed in the middle of a pull from a registry says so, and pulls it whole when it is back', async () => {
  const before = await images();
  const registry = engine.beside(process.execPath, [join(import.meta.dirname, 'registry.ts')]);
  const said = createInterface({ input: registry.stdout ?? process.stdin });
  const lines = said[Symbol.asyncIterator]();
  const port = (await lines.next()).value as string;
  try {
    const name = `localhost:${port}/stack:tiny`;
    const ensured = async (): Promise<string> => {
      const stack = new StackEngine(await connectEngine(engine.host));
      return await ensureStack(stack, name, { from: 'registry' }, AbortSignal.timeout(120_000));
    };
    const pulling = ensured();
    expect((await lines.next()).value).toBe('half');
    expect(await killDuring(pulling)).toContain(`the stack image "${name}" could not be had`);
    await engine.startDaemon();
    expect(await images()).toEqual(before);
    registry.stdin?.write('go\n');
    expect(await ensured()).toBe('ready');
    expect(await images()).toHaveLength(before.length + 1);
    await engine.docker('rmi', name);
  } finally {
    said.close();
    registry.stdin?.end();
    registry.kill('SIGTERM');
    await once(registry, 'exit');
  }
}, 300_000);

test('an Engine killed while it loads the image of a release loads it anew, and keeps no half of it', async () => {
  const release = await imageRelease();
  const runtime = await openRuntimeOn(engine, `${dir.path}/data`);
  try {
    await runtime.list(() => 0);
    const before = await images();
    for (const moment of MOMENTS_MS) {
      const preparing = runtime.prepare(release).then(
        () => 'ready',
        (error: { code?: string }) => error.code,
      );
      await sleep(moment);
      const came = await killDuring(preparing);
      expect(['ready', 'unavailable']).toContain(came);
      await engine.startDaemon();
      await eventually(() => runtime.collect(new Set()).then(() => true), { withinMs: 60_000 });
      await eventually(async () => expect(await images()).toEqual(before), { withinMs: 60_000 });
    }
    await eventually(() => runtime.prepare(release).then(() => true), { withinMs: 60_000 });
    expect(await images()).toHaveLength(before.length + 1);
    await runtime.collect(new Set());
  } finally {
    await runtime.shutdown();
  }
}, 600_000);

/** An image of one layer, as a build from a Dockerfile leaves it in the blob store. */
async function imageRelease(): Promise<SlugFiles> {
  const content = await someTar();
  const layer = await keepBlob(dir.path, content);
  const text = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {},
    rootfs: {
      type: 'layers',
      diff_ids: [`sha256:${createHash('sha256').update(content).digest('hex')}`],
    },
    history: [],
  });
  const id = createHash('sha256').update(text).digest('hex') as BlobId;
  const path = join(dir.path, `${id}.json`);
  await writeFile(path, text);
  return { id, path, layers: [layer], format: 'image' };
}
