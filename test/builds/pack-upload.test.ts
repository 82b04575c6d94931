import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { packUpload } from '../../agent/builds/pack-upload.ts';
import { liftOnlyFolder } from '../../agent/builds/app-tree.ts';
import { FileBlobs } from '../api/file-blobs.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const NEVER = new AbortController().signal;

/** Packs a folder as a client would. */
function archiveOf(dir: string, name: string, files: Readonly<Record<string, string>>): string {
  const root = join(dir, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  execFileSync('tar', ['-czf', `${root}.tgz`, '-C', root, '.']);
  return `${root}.tgz`;
}

test('a slug from elsewhere is the app, whether or not its archive has it in a folder "app"', async () => {
  // As on hosts where nobody is to see anything of anybody.
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  await using dir = await tempDir('kith-upload-');
  const blobs = new FileBlobs(dir.path);
  const scratch = join(dir.path, 'scratch');
  const pack = (archive: string) => packUpload(createReadStream(archive), scratch, blobs, 'x64', NEVER);
  const plain = await pack(archiveOf(dir.path, 'plain', { 'server.js': 'x' }));
  const inFolder = await pack(archiveOf(dir.path, 'heroku', { 'app/server.js': 'x' }));
  expect(inFolder.id).toBe(plain.id);
  expect(plain.arch).toBe('any');
  const binary = await pack(archiveOf(dir.path, 'binary', { server: '\x7fELF and so on' }));
  expect(binary.arch).toBe('x64');
  expect(readdirSync(scratch)).toEqual([]);
});

test('an empty archive, and what is no archive, are refused and leave nothing', async () => {
  await using dir = await tempDir('kith-upload-');
  const blobs = new FileBlobs(dir.path);
  mkdirSync(join(dir.path, 'empty'));
  const empty = archiveOf(dir.path, 'empty', {});
  await expect(
    packUpload(createReadStream(empty), join(dir.path, 'scratch'), blobs, 'x64', NEVER),
  ).rejects.toThrow('its archive is empty');
  writeFileSync(join(dir.path, 'text'), 'no archive'.repeat(200));
  await expect(
    packUpload(createReadStream(join(dir.path, 'text')), join(dir.path, 'scratch'), blobs, 'x64', NEVER),
  ).rejects.toThrow();
  expect([blobs.list(), readdirSync(join(dir.path, 'scratch'))]).toEqual([[], []]);
});

test('what is all in one folder is lifted out of it', async () => {
  await using dir = await tempDir('kith-upload-');
  const root = join(dir.path, 'app');
  mkdirSync(join(root, 'shop-cafe', 'lib'), { recursive: true });
  writeFileSync(join(root, 'shop-cafe', 'Procfile'), 'web: x');
  await liftOnlyFolder(root);
  expect(readdirSync(root).sort()).toEqual(['Procfile', 'lib']);
  await liftOnlyFolder(root);
  expect(readdirSync(root).sort()).toEqual(['Procfile', 'lib']);
});
