import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../src/errors.ts';
import type { Sandbox } from './sandbox.ts';

/** Folder, below the root of all builds, of those under way. Beside it are the caches, one for each app. */
export const WORK = '.work';

/** Makes the folder that builds live in, and removes what a former agent's builds left behind there. */
export async function openBuildRoot(dir: string, sandbox: Sandbox): Promise<string> {
  const root = buildRoot(dir, sandbox);
  await mkdir(root, { recursive: true, mode: 0o711 });
  // Under /var/tmp anybody could have made it before us.
  if ((await lstat(root)).uid !== process.getuid?.()) {
    throw new PlatformError('internal', `Cannot build in "${root}": it belongs to another user`);
  }
  // The build's own user passes through both to its own folders; a umask may have forbidden it.
  await chmod(root, 0o711);
  const work = join(root, WORK);
  await removeTree(work);
  await mkdir(work);
  await chmod(work, 0o711);
  return root;
}

/**
 * Without bubblewrap a root agent's build still runs as another user, who cannot pass through the private data
 * directory: its folders then live elsewhere.
 */
function buildRoot(dir: string, sandbox: Sandbox): string {
  if (sandbox.kind !== 'none' || sandbox.uid === null) return join(dir, 'build-cache');
  return `/var/tmp/kith-builds-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`;
}

/** Also removes folders that a build made read-only. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o700);
    }
    await rm(path, { recursive: true, force: true });
  }
}
