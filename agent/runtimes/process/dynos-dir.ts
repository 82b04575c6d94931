import { chmod, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../../src/errors.ts';

/**
 * Makes the folder that holds the dynos' own folders. DIR/keeper/dynos is closed to others, which is right while
 * bubblewrap mounts from it. Where dynos run as users of their own without namespaces they must reach their files by path,
 * so the folder is outside DIR then, passable but not readable, and each dyno's part is closed to all others.
 */
export async function makeDynosDir(dir: string, owner: string, mustBePassable: boolean): Promise<string> {
  if (!mustBePassable) {
    const inside = insideDir(dir);
    await mkdir(inside, { recursive: true, mode: 0o700 });
    return inside;
  }
  const outside = outsideDir(owner);
  await mkdir(outside, { recursive: true });
  if (!(await isOurs(outside))) {
    throw new PlatformError('internal', `Cannot keep dynos in "${outside}": it belongs to somebody else`, {
      hint: 'Remove it, or install bubblewrap',
    });
  }
  await chmod(outside, 0o711);
  return outside;
}

/** Folders of dynos that nobody keeps any more, wherever a former agent made them. */
export async function leftoverDirs(dir: string, owner: string, kept: ReadonlySet<string>): Promise<string[]> {
  const parents = [insideDir(dir), outsideDir(owner)];
  const lists = await Promise.all(
    parents.map(async (parent) => {
      const names = (await isOurs(parent)) ? await readdir(parent) : [];
      return names.filter((name) => !kept.has(name)).map((name) => join(parent, name));
    }),
  );
  return lists.flat();
}

/** Once no dyno is left. */
export async function removeDynosDirs(dir: string, owner: string): Promise<void> {
  for (const path of [insideDir(dir), outsideDir(owner)]) {
    if (await isOurs(path)) await rm(path, { recursive: true, force: true });
  }
}

/** Anybody may make files in /var/tmp: a link or folder of somebody else's is not to be trusted, nor to be emptied. */
async function isOurs(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    return found.isDirectory() && found.uid === process.getuid?.();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function insideDir(dir: string): string {
  return join(dir, 'keeper', 'dynos');
}

function outsideDir(owner: string): string {
  return join('/var/tmp', `kith-${owner}`);
}
