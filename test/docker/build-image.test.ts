import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createZstdDecompress } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBuildEngine, type BuildEngine } from '../../agent/builds/build-engine.ts';
import { planByDockerfile, planByHerokuYaml } from '../../agent/builds/image-plan.ts';
import { makeImage } from '../../agent/builds/make-image.ts';
import { imageArchive } from '../../agent/runtimes/docker/image-archive.ts';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, BlobId } from '../../src/ids.ts';
import type { SlugRef } from '../../src/ledger/releases/release-types.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import type { BuildRequest } from '../../src/shell/builds.ts';
import { Readable } from 'node:stream';
import { FileBlobs } from '../api/file-blobs.ts';
import { tempDir } from '../helpers/temp-dir.ts';

/** An image that brings two files and needs no registry. */
const SCRATCH =
  'FROM scratch\nARG COLOUR=red\nLABEL colour=$COLOUR\nCOPY hello /hello\nCOPY . /app\nCMD ["/hello", "world"]\n';

const APP = randomUUID() as AppId;
let engine: BuildEngine;

beforeAll(async () => {
  const opened = await openBuildEngine(`${import.meta.dirname} ${process.pid}`, STACK_IMAGE);
  if (opened === null) throw new Error('No Docker Engine answers');
  engine = { ...opened, network: 'bridge' };
});

afterAll(async () => {
  await engine.docker
    .getImage(`kith/build:${engine.owner}.${APP}`)
    .remove({ force: true })
    .catch(() => undefined);
});

type Built = { readonly ref: SlugRef; readonly output: string };

async function build(
  dir: string,
  files: Readonly<Record<string, string>>,
  blobs = new FileBlobs(dir),
  signal = AbortSignal.timeout(120_000),
): Promise<Built> {
  const appDir = join(dir, `app-${randomUUID()}`);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(appDir, name)), { recursive: true });
    await writeFile(join(appDir, name), text);
  }
  const plan = (await planByHerokuYaml(appDir)) ?? (await planByDockerfile(appDir));
  if (plan === null) throw new Error('Nothing to build by');
  const request: BuildRequest = {
    app: APP,
    build: randomUUID(),
    user: 'me@example.com',
    request: null,
    source: Readable.from([]),
    version: 'v1',
    bundle: null,
  };
  const lines: string[] = [];
  const ref = await makeImage({
    engine,
    plan,
    request,
    appDir,
    procfile: null,
    env: {},
    blobs,
    recordPath: join(dir, 'layers.json'),
    print: (line) => lines.push(line),
    signal,
  });
  return { ref, output: lines.join('\n') };
}

test('a Dockerfile becomes an image of blobs: its configuration, and a .tar.zst for each layer', async () => {
  await using dir = await tempDir('kith-image-');
  const blobs = new FileBlobs(dir.path);
  const files = {
    Dockerfile: SCRATCH,
    hello: '#!hi',
    '.dockerignore': 'secret\n',
    secret: 'x',
    'lib/a.js': 'a',
  };
  const { ref, output } = await build(dir.path, files, blobs);
  expect(ref).toMatchObject({ format: 'image', stack: 'container', arch: process.arch, commit: 'v1' });
  expect(ref.processTypes).toEqual({ web: '["/hello","world"]' });
  expect(ref.layers).toHaveLength(2);
  expect(output).toContain('COPY hello /hello');
  const config = JSON.parse(await readFile(blobs.path(ref.id), 'utf8')) as {
    config: { Labels: { colour: string } };
  };
  expect(config.config.Labels.colour).toBe('red');
  const last = ref.layers?.at(-1)?.id as BlobId;
  const tar = (await buffer(createReadStream(blobs.path(last)).pipe(createZstdDecompress()))).toString(
    'latin1',
  );
  expect(tar).toContain('app/lib/a.js');
  expect(tar).not.toContain('app/secret');
});

test('the image that was stored loads into an Engine again, as itself', async () => {
  await using dir = await tempDir('kith-image-');
  const blobs = new FileBlobs(dir.path);
  const { ref } = await build(dir.path, { Dockerfile: SCRATCH, hello: '#!hi' }, blobs);
  const file = (id: BlobId): { id: BlobId; path: string } => ({ id, path: blobs.path(id) });
  const tag = `kith/test:${randomUUID()}`;
  const slug = {
    ...file(ref.id),
    layers: (ref.layers ?? []).map(({ id }) => file(id)),
    format: 'image' as const,
  };
  await buffer(await engine.docker.loadImage(imageArchive(slug, tag)));
  const loaded = engine.docker.getImage(tag);
  const { Id } = await loaded.inspect();
  await loaded.remove();
  expect(Id).toBe(`sha256:${ref.id}`);
});

test('the same source makes the same image, and layers that are blobs already are not stored again', async () => {
  await using dir = await tempDir('kith-image-');
  const blobs = new FileBlobs(dir.path);
  const files = { Dockerfile: SCRATCH, hello: '#!hi' };
  const first = await build(dir.path, files, blobs);
  const second = await build(dir.path, files, blobs);
  expect(second.ref).toEqual(first.ref);
  const third = await build(dir.path, { ...files, more: 'm' }, blobs);
  expect(third.ref.layers?.[0]).toEqual(first.ref.layers?.[0]);
  expect(third.ref.layers?.[1]).not.toEqual(first.ref.layers?.[1]);
});

test('a build that failed is kept as far as it came, until one succeeds', async () => {
  await using dir = await tempDir('kith-image-');
  const name = `kith/build:${engine.owner}.${APP}.unfinished`;
  const tags = async (): Promise<readonly string[]> =>
    (await engine.docker.listImages({ filters: { reference: [name] } })).flatMap(
      ({ RepoTags }) => RepoTags ?? [],
    );
  const hello = { hello: randomUUID() };
  const first = 'FROM scratch\nCOPY hello /hello\n';
  await build(dir.path, { ...hello, Dockerfile: `${first}COPY missing /x\n` }).catch(() => undefined);
  expect(await tags()).toEqual([name]);
  const { output } = await build(dir.path, { ...hello, Dockerfile: `${first}CMD ["/hello"]\n` });
  expect(output).toContain('Using cache');
  expect(await tags()).toEqual([]);
});

test('a heroku.yml names the Dockerfile, its arguments, what is run, and the release command', async () => {
  await using dir = await tempDir('kith-image-');
  const blobs = new FileBlobs(dir.path);
  const yaml =
    'build:\n  docker:\n    web: docker/Dockerfile\n  config:\n    COLOUR: blue\nrelease:\n  image: web\n  command:\n    - migrate\nrun:\n  worker: work\n';
  const files = { 'heroku.yml': yaml, 'docker/Dockerfile': SCRATCH, 'docker/hello': 'h', 'outside.txt': 'o' };
  const { ref } = await build(dir.path, files, blobs);
  expect(ref.processTypes).toEqual({ web: '["/hello","world"]', worker: 'work', release: 'migrate' });
  const config = JSON.parse(await readFile(blobs.path(ref.id), 'utf8')) as {
    config: { Labels: { colour: string } };
  };
  expect(config.config.Labels.colour).toBe('blue');
});

test('steps of a Dockerfile run with limits, and a step that fails is told in the words of the Engine', async () => {
  await using dir = await tempDir('kith-image-');
  const files = { Dockerfile: `FROM ${STACK_IMAGE}\nRUN echo building && false\n` };
  const failed = await build(dir.path, files).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(PlatformError);
  expect((failed as PlatformError).code).toBe('build_failed');
  expect((failed as PlatformError).message).toContain(
    "the Dockerfile failed: The command '/bin/sh -c echo building && false'",
  );
});

test('a build by a Dockerfile ends when it is aborted', async () => {
  await using dir = await tempDir('kith-image-');
  const files = { Dockerfile: `FROM ${STACK_IMAGE}\nRUN echo ${randomUUID()} && sleep 600\n` };
  const failed = await build(dir.path, files, new FileBlobs(dir.path), AbortSignal.timeout(3_000)).catch(
    (error: unknown) => error,
  );
  expect((failed as Error).name).toBe('TimeoutError');
});

test('where no Engine is, the reason and a way out are told', async () => {
  await using dir = await tempDir('kith-image-');
  const withoutEngine = makeImage({
    engine: null,
    plan: { contextDir: '.', dockerfile: 'Dockerfile', args: {}, run: null, release: null },
    request: { app: APP } as BuildRequest,
    appDir: dir.path,
    procfile: null,
    env: {},
    blobs: new FileBlobs(dir.path),
    recordPath: join(dir.path, 'layers.json'),
    print: () => undefined,
    signal: AbortSignal.timeout(5_000),
  });
  await expect(withoutEngine).rejects.toThrow('this peer has no Docker Engine');
});

test('a heroku.yml that names a file outside of the app, or a link, is refused', async () => {
  await using dir = await tempDir('kith-image-');
  await symlink('/etc/passwd', join(dir.path, 'link'));
  for (const file of ['../Dockerfile', '/etc/passwd', 'link', 'missing']) {
    await writeFile(join(dir.path, 'heroku.yml'), `build:\n  docker:\n    web: ${file}\n`);
    await expect(planByHerokuYaml(dir.path), file).rejects.toThrow('there is no such file in the app');
  }
});
