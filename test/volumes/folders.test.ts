import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packVolume, unpackVolume } from '../../agent/volumes/volume-archive.ts';
import { VolumeFolders } from '../../agent/volumes/volume-folders.ts';
import type { VolumeId } from '../../src/ids.ts';
import { FileBlobs } from '../api/file-blobs.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const VOLUME = '11111111-2222-4333-8444-555555555555' as VolumeId;
const [C1, C2] = ['00000000000000c1', '00000000000000c2'] as const;
const isRoot = process.getuid?.() === 0;

test('an archive keeps owners, modes, links, empty folders and holes', async () => {
  await using dir = await tempDir('kith-volumes-');
  const [from, to] = [join(dir.path, 'from'), join(dir.path, 'to')];
  for (const each of [from, to, join(from, 'empty'), join(dir.path, 'blobs')]) mkdirSync(each);
  chmodSync(from, 0o750);
  writeFileSync(join(from, 'count'), '42');
  chmodSync(join(from, 'count'), 0o640);
  symlinkSync('count', join(from, 'link'));
  execFileSync('truncate', ['-s', '64M', join(from, 'sparse')]);
  if (isRoot) execFileSync('chown', ['1900000123:1900000123', join(from, 'count')]);
  const blobs = new FileBlobs(join(dir.path, 'blobs'));
  const { id, bytes } = await packVolume(from, blobs, () => {});
  await unpackVolume(blobs.path(id), to, () => {});
  expect(bytes).toBeLessThan(1024 ** 2);
  expect(readFileSync(join(to, 'link'), 'utf8')).toBe('42');
  expect(statSync(join(to, 'count')).mode & 0o777).toBe(0o640);
  expect(statSync(join(to, 'count')).uid).toBe(isRoot ? 1_900_000_123 : process.getuid?.());
  expect(statSync(join(to, 'empty')).isDirectory()).toBe(true);
  expect(statSync(join(to, 'sparse')).size).toBe(64 * 1024 ** 2);
  expect(statSync(join(to, 'sparse')).blocks).toBeLessThan(1_000);
  expect(statSync(to).mode & 0o777).toBe(0o750);
});

test('what is no archive is refused in words, and leaves no copy', async () => {
  await using dir = await tempDir('kith-volumes-');
  const folders = await VolumeFolders.open(join(dir.path, 'volumes'));
  const file = join(dir.path, 'photo.jpg');
  writeFileSync(file, 'not at all');
  await expect(folders.receive(VOLUME, C1, (at) => unpackVolume(file, at, () => {}))).rejects.toThrow(
    'Cannot unpack the archive of a volume',
  );
  expect(folders.held()).toEqual([]);
  expect(readdirSync(join(dir.path, 'volumes', '.partial'))).toEqual([]);
});

test.runIf(isRoot)('device files and setuid bits do not come out of an archive', async () => {
  await using dir = await tempDir('kith-volumes-');
  const [from, to, store] = ['from', 'to', 'blobs'].map((name) => join(dir.path, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [from, to, store]) mkdirSync(each);
  execFileSync('mknod', [join(from, 'null'), 'c', '1', '3']);
  writeFileSync(join(from, 'su'), '');
  execFileSync('chmod', ['4755', join(from, 'su')]);
  const blobs = new FileBlobs(store);
  const { id } = await packVolume(from, blobs, () => {});
  await unpackVolume(blobs.path(id), to, () => {});
  expect(existsSync(join(to, 'null'))).toBe(false);
  expect(statSync(join(to, 'su')).mode & 0o7777).toBe(0o755);
});

test('copies are found again by the next agent in the state they were in; a half one is gone', async () => {
  await using dir = await tempDir('kith-volumes-');
  const root = join(dir.path, 'volumes');
  const first = await VolumeFolders.open(root);
  await first.take(VOLUME, C1, true);
  await first.receive(VOLUME, C2, async (at) => writeFileSync(join(at, 'x'), 'new'));
  mkdirSync(join(root, '.partial', `${VOLUME}.00000000000000c3`));
  const second = await VolumeFolders.open(root);
  expect(second.held().toSorted((a, b) => (a.copy < b.copy ? -1 : 1))).toEqual([
    { volume: VOLUME, copy: C1, state: 'live' },
    { volume: VOLUME, copy: C2, state: 'arrived' },
  ]);
  await second.take(VOLUME, C2, false);
  expect(readFileSync(join(second.path(VOLUME, C2), 'x'), 'utf8')).toBe('new');
  await expect(second.take(VOLUME, '00000000000000c3', false)).rejects.toThrow();
});

test('what is thrown away stays in the trash for a week', async () => {
  await using dir = await tempDir('kith-volumes-');
  const root = join(dir.path, 'volumes');
  const folders = await VolumeFolders.open(root);
  await folders.take(VOLUME, C1, true);
  await folders.discard(VOLUME, C1);
  expect(existsSync(folders.path(VOLUME, C1))).toBe(false);
  const day = 24 * 3_600_000;
  await folders.sweep(Date.now() + 6 * day);
  expect(readdirSync(join(root, '.trash'))).toHaveLength(1);
  await folders.sweep(Date.now() + 8 * day);
  expect(readdirSync(join(root, '.trash'))).toEqual([]);
});
