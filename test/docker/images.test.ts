import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDockerRuntime } from '../../agent/runtimes/docker/docker-runtime.ts';
import type { BlobId } from '../../src/ids.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import type { DynoSpec, Runtime } from '../../src/shell/runtime.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { Recorder } from '../runtimes/recorder.ts';
import { keepBlob, makeLayer, makeSlug } from '../runtimes/slug.ts';
import { TINY_STACK } from './tiny-stack.ts';
import { dynoSpec } from '../runtimes/dyno-spec.ts';

const run = promisify(execFile);
const buffered = { encoding: 'buffer', maxBuffer: 512 * 1024 * 1024 } as const;

let dir: Awaited<ReturnType<typeof tempDir>>;
let runtime: Runtime;
let events: Recorder;

beforeAll(async () => {
  dir = await tempDir('kith-docker-images-');
  const log = pino({ level: 'silent' });
  runtime = await openDockerRuntime({ dir: `${dir.path}/data`, log, stackImage: STACK_IMAGE });
  events = new Recorder(runtime);
});
afterAll(async () => {
  await runtime.shutdown();
  await runtime.collect(new Set());
  await dir[Symbol.asyncDispose]();
});

async function linesOf(wanted: DynoSpec): Promise<string[]> {
  await runtime.start(wanted);
  await events.exited(wanted.dyno);
  await runtime.remove(wanted.dyno);
  return events.lines(wanted.dyno);
}

/** All images of this test's runtime, by the label that only its slugs bear. */
async function imagesOf(slug: SlugFiles): Promise<string[]> {
  const { stdout } = await run('docker', ['images', '-q', '--filter', `label=kith.slug=${slug.id}`]);
  return stdout.split('\n').filter((id) => id !== '');
}

/** The configuration and the only layer of an image that holds a shell and little else. */
async function makeImage(config: object): Promise<SlugFiles> {
  const { stdout } = await run('docker', ['run', '--rm', STACK_IMAGE, 'sh', '-c', TINY_STACK], buffered);
  const layer = await keepBlob(dir.path, stdout);
  const diffId = `sha256:${createHash('sha256').update(stdout).digest('hex')}`;
  const text = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [],
  });
  const id = createHash('sha256').update(text).digest('hex') as BlobId;
  const path = join(dir.path, `${id}.json`);
  await writeFile(path, text);
  return { id, path, layers: [layer], format: 'image' };
}

test('layers lie under the slug in their order, the slug on top, and all is the dyno’s own', async () => {
  const one = await makeLayer(dir.path, { 'runtime/a': 'one', 'runtime/b': 'one', c: 'one' });
  const two = await makeLayer(dir.path, { 'runtime/b': 'two', 'bin/tool': '#!/bin/sh\necho tool' });
  const slug = await makeSlug(dir.path, { c: 'slug' }, [one, two]);
  const command = 'cat runtime/a; echo; cat runtime/b; echo; cat c; echo; bin/tool; stat -c %U runtime/a';
  expect(await linesOf(dynoSpec(slug, command))).toEqual(['one', 'two', 'slug', 'tool', 'dyno']);
});

test('two slugs share the image of a layer, which stays as long as one of them is kept', async () => {
  const layer = await makeLayer(dir.path, { shared: randomUUID() });
  const one = await makeSlug(dir.path, { own: randomUUID() }, [layer]);
  const two = await makeSlug(dir.path, { own: randomUUID() }, [layer]);
  await Promise.all([runtime.prepare(one), runtime.prepare(two)]);
  await runtime.collect(new Set([two.id]));
  expect(await imagesOf(one)).toEqual([]);
  expect(await imagesOf(two)).toHaveLength(1);
  await rm(layer.path);
  expect(await linesOf(dynoSpec(two, 'test -f shared && echo shared'))).toEqual(['shared']);
  await expect(runtime.prepare(one)).resolves.toBeUndefined();
  await runtime.collect(new Set());
  const failed = await runtime.prepare(one).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'not_found' });
  expect(String(failed)).toContain(layer.path);
});

test('an image of a slug that somebody removed from the Engine is made again', async () => {
  const slug = await makeSlug(dir.path, { file: randomUUID() });
  await runtime.prepare(slug);
  await run('docker', ['rmi', '-f', ...(await imagesOf(slug))]);
  expect(await linesOf(dynoSpec(slug, 'test -f file && echo here'))).toEqual(['here']);
});

test('a damaged slug is said so, and leaves neither image nor container', async () => {
  const whole = await makeSlug(dir.path, { file: 'x' });
  const id = createHash('sha256').update('damaged').digest('hex') as BlobId;
  const path = join(dir.path, 'damaged.tar.zst');
  await writeFile(path, 'this is no zstd');
  const damaged: SlugFiles = { ...whole, id, path };
  await expect(runtime.prepare(damaged)).rejects.toMatchObject({ name: 'PlatformError' });
  expect(await imagesOf(damaged)).toEqual([]);
  const { stdout } = await run('docker', ['ps', '-aq', '--filter', `label=kith.slug=${id}`]);
  expect(stdout.trim()).toBe('');
});

test('a container image runs its command as words or in a shell, not as root, with config vars and without bash', async () => {
  const image = await makeImage({ Env: ['PATH=/usr/bin', 'OWN=image'], WorkingDir: '/tmp', User: 'root' });
  const words = '["/bin/sh", "-c", "echo $0 $OWN $CONFIG $DYNO", "a b"]';
  const lines = await linesOf(dynoSpec(image, words, { env: { CONFIG: 'x y' } }));
  expect(lines).toEqual(['a b image x y worker.1']);
  expect(await linesOf(dynoSpec(image, 'echo "$CONFIG"', { env: { CONFIG: 'z' } }))).toEqual(['z']);
  const ids = await linesOf(
    dynoSpec(image, 'while read -r name ids; do [ $name = Uid: ] && echo $ids; done </proc/self/status'),
  );
  expect(ids).toEqual(['61000 61000 61000 61000']);
  await expect(runtime.start(dynoSpec(image, '["broken'))).rejects.toMatchObject({ code: 'invalid_params' });
});

test('commands run and files are copied in the dyno of a container image too', async () => {
  const image = await makeImage({ Env: ['PATH=/usr/bin', 'OWN=image2'] });
  const wanted = dynoSpec(image, '["/bin/sh", "-c", "echo up; sleep 1000; true"]', { env: { CONFIG: 'x' } });
  await runtime.start(wanted);
  await events.line(wanted.dyno, 'up');
  const { stdio, ended } = await runtime.exec(wanted.dyno, {
    command: 'echo $OWN $CONFIG; exit 3',
    env: {},
    tty: null,
  });
  stdio.end();
  let said = '';
  for await (const data of stdio as AsyncIterable<Buffer>) said += data.toString();
  expect(said).toBe('image2 x\n');
  expect((await ended).status).toBe(3);
  const tar = await runtime.copyOut(wanted.dyno, '/etc/passwd');
  const chunks: Buffer[] = [];
  for await (const data of tar as AsyncIterable<Buffer>) chunks.push(data);
  expect(Buffer.concat(chunks).toString('latin1')).toContain('root:x:0');
  await runtime.signal(wanted.dyno, 'SIGTERM');
  expect((await events.exited(wanted.dyno)).status).toBe(143);
  await runtime.remove(wanted.dyno);
});
