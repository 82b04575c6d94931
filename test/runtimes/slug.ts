import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompressSync } from 'node:zlib';
import type { BlobId } from '../../src/ids.ts';
import type { SlugFile, SlugFiles } from '../../src/shell/slug-files.ts';

/** Packs files (path -> content) as a slug in `dir`: what `/app` will hold. Those with `#!` are made executable. */
export async function makeSlug(
  dir: string,
  files: Readonly<Record<string, string>>,
  layers: readonly SlugFile[] = [],
): Promise<SlugFiles> {
  return { ...(await makeLayer(dir, files)), layers, format: 'slug' };
}

/** Packs files as a `.tar.zst` of its own, to lie under slugs. */
export async function makeLayer(dir: string, files: Readonly<Record<string, string>>): Promise<SlugFile> {
  const tree = join(dir, `tree-${Object.keys(files).length}-${Math.random().toString(36).slice(2)}`);
  await mkdir(tree, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
    if (content.startsWith('#!')) await chmod(join(tree, path), 0o755);
  }
  const options = { encoding: 'buffer', maxBuffer: 512 * 1024 * 1024 } as const;
  const { stdout } = await promisify(execFile)('tar', ['-c', '-C', tree, '.'], options);
  await rm(tree, { recursive: true });
  return await keepBlob(dir, stdout);
}

/** Compresses bytes and keeps them under their hash, as the blob store does. */
export async function keepBlob(dir: string, bytes: Buffer): Promise<SlugFile> {
  const packed = zstdCompressSync(bytes);
  const id = createHash('sha256').update(packed).digest('hex') as BlobId;
  const path = join(dir, `${id}.tar.zst`);
  await writeFile(path, packed);
  return { id, path };
}
