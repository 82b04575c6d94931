import { existsSync, readdirSync } from 'node:fs';
import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { SlugStore } from '../../agent/runtimes/process/slug-store.ts';
import { SLUG_UID } from '../../agent/runtimes/process/users.ts';
import type { BlobId } from '../../src/ids.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { makeLayer, makeSlug } from './slug.ts';

const unpackUid = process.getuid?.() === 0 ? SLUG_UID : null;

test('copies have the content, links and modes of the slug, and do not share files', async () => {
  await using temp = await tempDir();
  const store = await SlugStore.open(join(temp.path, 'slugs'), unpackUid);
  const slug = await makeSlug(temp.path, { 'bin/run': '#!/bin/sh', 'a b/ü': 'text' });
  await store.prepare(slug);
  for (const name of ['spare', 'copied']) {
    const dest = join(temp.path, name);
    await store.copyTo(slug, dest);
    expect((await lstat(join(dest, 'bin/run'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(dest, 'a b/ü'), 'utf8')).toBe('text');
    await writeFile(join(dest, 'a b/ü'), 'changed');
  }
});

test('the spare copy that a start took can be made again, but never of a slug that is gone', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'slugs');
  const store = await SlugStore.open(dir, unpackUid);
  const slug = await makeSlug(temp.path, { file: 'text' });
  await store.prepare(slug);
  await store.copyTo(slug, join(temp.path, 'dyno'));
  expect(readdirSync(dir)).toEqual([slug.id]);
  await store.respare(slug.id);
  expect(readdirSync(dir).toSorted()).toEqual([`.spare-${slug.id}`, slug.id]);
  await store.collect(new Set());
  await store.respare(slug.id);
  expect(readdirSync(dir)).toEqual([]);
});

test('a damaged slug leaves nothing, and is said to be damaged', async () => {
  await using temp = await tempDir();
  const store = await SlugStore.open(join(temp.path, 'slugs'), unpackUid);
  const slug = await makeSlug(temp.path, { file: 'x'.repeat(100_000) });
  const bytes = await readFile(slug.path);
  await writeFile(slug.path, bytes.subarray(0, bytes.length / 2));
  await expect(store.prepare(slug)).rejects.toThrow(`Cannot unpack slug "${slug.id}"`);
  expect(readdirSync(join(temp.path, 'slugs'))).toEqual([]);
});

test.runIf(unpackUid !== null)(
  'device nodes in a slug are refused, even when the agent is root',
  async () => {
    await using temp = await tempDir();
    const store = await SlugStore.open(join(temp.path, 'slugs'), unpackUid);
    const tree = join(temp.path, 'tree');
    await mkdir(tree);
    const run = promisify(execFile);
    await run('mknod', [join(tree, 'null'), 'c', '1', '3']);
    const { stdout } = await run('tar', ['-c', '-C', tree, '.'], { encoding: 'buffer' });
    await writeFile(join(temp.path, 'slug.tar.zst'), zstdCompressSync(stdout));
    await expect(
      store.prepare({ id: 'slug' as BlobId, path: join(temp.path, 'slug.tar.zst'), layers: [] }),
    ).rejects.toThrow('Cannot mknod');
  },
);

test('what is not kept is collected, what a killed agent left unfinished goes at the next start', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'slugs');
  const store = await SlugStore.open(dir, unpackUid);
  const [one, two] = [await makeSlug(temp.path, { one: '1' }), await makeSlug(temp.path, { two: '2' })];
  await store.prepare(one);
  await store.prepare(two);
  await store.collect(new Set([two.id]));
  expect(existsSync(join(dir, one.id))).toBe(false);
  await mkdir(join(dir, '.unfinished-x'));
  await SlugStore.open(dir, unpackUid);
  expect(readdirSync(dir).toSorted()).toEqual([`.spare-${two.id}`, two.id]);
});

test('a slug lies over its layers, which are unpacked once and never change', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'slugs');
  const store = await SlugStore.open(dir, unpackUid);
  const node = await makeLayer(temp.path, { 'rt/bin/node': '#!/bin/sh', 'rt/both': 'layer' });
  for (const text of ['first', 'second']) {
    const slug = await makeSlug(temp.path, { 'web.js': text, 'rt/both': text }, [node]);
    await store.prepare(slug);
    for (const name of ['spare', 'copied']) {
      const dest = join(temp.path, `${name}-${text}`);
      await store.copyTo(slug, dest);
      expect(await readFile(join(dest, 'web.js'), 'utf8')).toBe(text);
      expect(await readFile(join(dest, 'rt/both'), 'utf8')).toBe(text);
      expect((await lstat(join(dest, 'rt/bin/node'))).mode & 0o777).toBe(0o755);
      await writeFile(join(dest, 'rt/bin/node'), 'changed');
    }
    expect(await readFile(join(dir, slug.id, 'rt/bin/node'), 'utf8')).toBe('#!/bin/sh');
  }
  expect(await readFile(join(dir, node.id, 'rt/both'), 'utf8')).toBe('layer');
  await store.collect(new Set([node.id]));
  expect(readdirSync(dir)).toEqual([node.id]);
});
