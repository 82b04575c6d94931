import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompressSync } from 'node:zlib';

export type Slug = { readonly slugId: string; readonly slugPath: string };

/** Packs files (path -> content) as a slug in `dir`: what `/app` will hold. Those with `#!` are made executable. */
export async function makeSlug(dir: string, files: Readonly<Record<string, string>>): Promise<Slug> {
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
  const packed = zstdCompressSync(stdout);
  const slugId = createHash('sha256').update(packed).digest('hex');
  const slugPath = join(dir, `${slugId}.tar.zst`);
  await writeFile(slugPath, packed);
  return { slugId, slugPath };
}
