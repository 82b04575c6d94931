import type { Stats } from 'node:fs';
import { lstat, mkdir, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '../../../src/errors.ts';
import type { VolumeMount } from '../../../src/shell/runtime.ts';
import { mustBeMountable, unmountable } from '../lib/volumes.ts';
import type { Sandbox } from './sandbox.ts';
import { isDynoUid } from './users.ts';

/**
 * The user whose files a volume holds. Whoever mounts it runs as that user, one dyno after the other and several at once;
 * null when it was never mounted, or by another driver.
 */
export async function volumeUid(volumes: readonly VolumeMount[]): Promise<number | null> {
  const [first] = volumes;
  if (first === undefined) return null;
  const { uid } = await mustBeHere(first);
  return isDynoUid(uid) ? uid : null;
}

async function mustBeHere({ source, path }: VolumeMount): Promise<Stats> {
  const found = await stat(source).catch(() => null);
  if (found?.isDirectory() === true) return found;
  throw new PlatformError('not_found', `Cannot mount a volume at "${path}": its folder is not here`, {
    resource: 'volume',
  });
}

/** Makes the places in the dyno's copy of the slug where volumes will be: folders to mount on, or else links. */
export async function placeVolumes(
  volumes: readonly VolumeMount[],
  app: string,
  { kind }: Sandbox,
  uid: number | null,
): Promise<void> {
  for (const { source, path } of volumes) {
    const inHome = mustBeMountable(path);
    if (inHome === null && kind === 'none') {
      throw unmountable(path, 'dynos of this peer have no file system of their own');
    }
    await mustBeHere({ source, path });
    if (inHome === null) continue;
    const place = join(app, inHome);
    await makeFolders(app, dirname(inHome), path);
    await rm(place, { recursive: true, force: true });
    if (kind === 'bubblewrap') await mkdir(place);
    else {
      await mustBeReachable(source, path, uid);
      await symlink(source, place);
    }
  }
}

/** Folder by folder: a link in the slug must not lead the agent to make folders elsewhere. */
async function makeFolders(app: string, inHome: string, path: string): Promise<void> {
  let dir = app;
  for (const part of inHome === '.' ? [] : inHome.split('/')) {
    dir = join(dir, part);
    await mkdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if ((await lstat(dir)).isDirectory()) continue;
    throw new PlatformError(
      'conflict',
      `Cannot mount a volume at "${path}": the slug has something else than a folder on the way there`,
      { hint: 'Mount it elsewhere, or remove that file from the app' },
    );
  }
}

/** A dyno with a user of its own follows a link only through folders that others may pass. */
async function mustBeReachable(source: string, path: string, uid: number | null): Promise<void> {
  if (uid === null) return;
  for (let dir = dirname(source); ; dir = dirname(dir)) {
    const isPassable = ((await stat(dir)).mode & 0o001) !== 0;
    if (!isPassable) {
      throw new PlatformError(
        'unavailable',
        `Cannot mount a volume at "${path}": dynos of this peer have no namespaces, and their users may not enter "${dir}"`,
        { hint: 'Install bubblewrap on this peer, or run it with Docker' },
      );
    }
    if (dir === '/') return;
  }
}
