import { existsSync, readdirSync } from 'node:fs';
import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { SlugStore } from '../../agent/runtimes/process/slug-store.ts';
import { SLUG_UID } from '../../agent/runtimes/process/users.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { makeSlug } from './slug.ts';

const unpackUid = process.getuid?.() === 0 ? SLUG_UID : null;

test('copies have the content, links and modes of the slug, and do not share files', async () => {
  await using temp = await tempDir();
  const store = await SlugStore.open(join(temp.path, 'slugs'), unpackUid);
  const { slugId, slugPath } = await makeSlug(temp.path, { 'bin/run': '#!/bin/sh', 'a b/ü': 'text' });
  await store.prepare(slugId, slugPath);
  for (const name of ['spare', 'copied']) {
    const dest = join(temp.path, name);
    await store.copyTo(slugId, slugPath, dest);
    expect((await lstat(join(dest, 'bin/run'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(dest, 'a b/ü'), 'utf8')).toBe('text');
    await writeFile(join(dest, 'a b/ü'), 'changed');
  }
});

test('the spare copy that a start took can be made again, but never of a slug that is gone', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'slugs');
  const store = await SlugStore.open(dir, unpackUid);
  const { slugId, slugPath } = await makeSlug(temp.path, { file: 'text' });
  await store.prepare(slugId, slugPath);
  await store.copyTo(slugId, slugPath, join(temp.path, 'dyno'));
  expect(readdirSync(dir)).toEqual([slugId]);
  await store.respare(slugId);
  expect(readdirSync(dir).toSorted()).toEqual([`.spare-${slugId}`, slugId]);
  await store.collect(new Set());
  await store.respare(slugId);
  expect(readdirSync(dir)).toEqual([]);
});

test('a damaged slug leaves nothing, and is said to be damaged', async () => {
  await using temp = await tempDir();
  const store = await SlugStore.open(join(temp.path, 'slugs'), unpackUid);
  const { slugId, slugPath } = await makeSlug(temp.path, { file: 'x'.repeat(100_000) });
  const bytes = await readFile(slugPath);
  await writeFile(slugPath, bytes.subarray(0, bytes.length / 2));
  await expect(store.prepare(slugId, slugPath)).rejects.toThrow(`Cannot unpack slug "${slugId}"`);
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
    await expect(store.prepare('slug', join(temp.path, 'slug.tar.zst'))).rejects.toThrow('Cannot mknod');
  },
);

test('what is not kept is collected, what a killed agent left unfinished goes at the next start', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'slugs');
  const store = await SlugStore.open(dir, unpackUid);
  const [one, two] = [await makeSlug(temp.path, { one: '1' }), await makeSlug(temp.path, { two: '2' })];
  await store.prepare(one.slugId, one.slugPath);
  await store.prepare(two.slugId, two.slugPath);
  await store.collect(new Set([two.slugId]));
  expect(existsSync(join(dir, one.slugId))).toBe(false);
  await mkdir(join(dir, '.unfinished-x'));
  await SlugStore.open(dir, unpackUid);
  expect(readdirSync(dir).toSorted()).toEqual([`.spare-${two.slugId}`, two.slugId]);
});
