import { chmod, mkdir, mkdtemp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { PackedSlug } from '../../src/shell/builds.ts';
import { removeTree } from './build-folders.ts';
import { packSlug, slugArch } from './slug-pack.ts';
import { unpackSource } from './source.ts';

/** Unpacked, as for slugs that are built here. */
const UNPACKED_BYTES_MAX = 4 * 1024 ** 3;

/**
 * Makes a slug of an archive that somebody else built: the app's files, or a folder `app` with them, as Heroku has it.
 * @param scratch a folder for a folder of its own
 */
export async function packUpload(
  source: Readable,
  scratch: string,
  blobs: Pick<Blobs, 'write'>,
  arch: string,
  signal: AbortSignal,
): Promise<PackedSlug> {
  await mkdir(scratch, { recursive: true });
  const dir = await mkdtemp(join(scratch, 'upload-'));
  try {
    await unpackSource(source, dir, UNPACKED_BYTES_MAX);
    const root = await rootOf(dir);
    // Whoever runs the app has to see into it, whatever the agent's umask is.
    await chmod(root, 0o755);
    const [{ id, bytes }, needs] = await Promise.all([packSlug(root, blobs, signal), slugArch(root, arch)]);
    return { id, bytes, arch: needs };
  } finally {
    await removeTree(dir);
  }
}

async function rootOf(dir: string): Promise<string> {
  const [only, ...others] = await readdir(dir);
  if (only === undefined)
    throw new PlatformError('invalid_params', 'Cannot take the slug: its archive is empty');
  const inner = join(dir, 'app');
  return only === 'app' && others.length === 0 && (await stat(inner)).isDirectory() ? inner : dir;
}
