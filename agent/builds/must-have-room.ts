import { statfs } from 'node:fs/promises';
import { PlatformError } from '../../src/errors.ts';

/** Sources, dependencies and the slug together: with less, a build would end halfway with a full disk. */
const FREE_MIB_MIN = 1_024;

/** Throws `disk_full` where a build would not find room. */
export async function mustHaveRoom(dir: string, freeMiBMin = FREE_MIB_MIN): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const freeMiB = Math.floor((bavail * bsize) / 1024 ** 2);
  if (freeMiB >= freeMiBMin) return;
  const message = `Cannot build on this peer: ${freeMiB} MiB are free on the disk of "${dir}", a build needs ${freeMiBMin} MiB`;
  throw new PlatformError('disk_full', message, {
    hint: 'Free some space there (kith peers:collect), or push to another peer',
  });
}
