import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readManifest } from '../../agent/pipelines/read-manifest.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const NEVER = new AbortController().signal;

/** Packs these files. @returns the archive */
function pack(dir: string, files: Readonly<Record<string, string>>, flags = '-czf'): string {
  const root = join(dir, 'root');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const archive = join(dir, 'archive');
  execFileSync('tar', [flags, archive, '-C', root, '.']);
  return archive;
}

test('the app.json at the root is found, in a tar and in a tar.gz', async () => {
  for (const flags of ['-cf', '-czf']) {
    await using dir = await tempDir('kith-manifest-');
    const big = 'x'.repeat(300_000);
    const files = { 'a/big.txt': big, 'app.json': `{"name":"${big}"}`, 'lib/app.json': '{}' };
    expect(await readManifest(pack(dir.path, files, flags), NEVER)).toBe(files['app.json']);
  }
});

test('where all is in one folder, as in GitHub’s archives, it is that one', async () => {
  await using dir = await tempDir('kith-manifest-');
  const archive = pack(dir.path, { 'shop-cafe/app.json': '{"a":1}', 'shop-cafe/lib/app.json': '{}' });
  expect(await readManifest(archive, NEVER)).toBe('{"a":1}');
});

test('an archive without one has none, and what is no archive is refused', async () => {
  await using dir = await tempDir('kith-manifest-');
  expect(await readManifest(pack(dir.path, { Procfile: 'web: x' }), NEVER)).toBe(null);
  writeFileSync(join(dir.path, 'text'), 'this is no archive of anything'.repeat(100));
  await expect(readManifest(join(dir.path, 'text'), NEVER)).rejects.toThrow();
});

test('an archive that unpacks to more than a source may have is refused before it is all unpacked', async () => {
  await using dir = await tempDir('kith-manifest-');
  const archive = pack(dir.path, { zeros: '0'.repeat(4 * 1024 ** 2), 'z/app.json': '{}' });
  await expect(readManifest(archive, NEVER, 1024 ** 2)).rejects.toMatchObject({
    code: 'too_large',
    message: expect.stringContaining('1 MiB') as string,
  });
  expect(await readManifest(archive, NEVER, 8 * 1024 ** 2)).toBe(null);
});
