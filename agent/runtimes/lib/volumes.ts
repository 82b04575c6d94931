import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { normalize } from 'node:path';
import { promisify } from 'node:util';
import { PlatformError } from '../../../src/errors.ts';
import type { VolumeMount } from '../../../src/shell/runtime.ts';

const HOME = '/app';
/** Where a dyno's system is: nothing may be mounted over that. */
const SYSTEM = /^\/(bin|sbin|lib\w*|usr|etc|proc|dev|sys|run|var|tmp)(\/|$)/;

/**
 * Says where a volume is to be in a dyno, the same for every driver.
 * @returns the path's part below home; null when it is elsewhere
 * @throws PlatformError `invalid_params` for a place that no volume may have
 */
export function mustBeMountable(path: string): string | null {
  const isPlain = path.startsWith('/') && normalize(path) === path && !path.endsWith('/');
  if (!isPlain) throw unmountable(path, 'it is not a plain absolute path');
  if (path === HOME || SYSTEM.test(path)) throw unmountable(path, 'that is where the app or its system is');
  return path.startsWith(`${HOME}/`) ? path.slice(HOME.length + 1) : null;
}

export function unmountable(path: string, found: string): PlatformError {
  return new PlatformError('invalid_params', `Cannot mount a volume at "${path}": ${found}`, {
    hint: `Mount it below "${HOME}", at "${HOME}/data" for example`,
  });
}

/**
 * Makes all that volumes hold the files of `uid`, unless they are already.
 * @param isRoot whether this agent may give files away
 * @throws PlatformError `unavailable` when it may not: the dyno would start, and could write nothing
 */
export async function ownVolumes(
  volumes: readonly VolumeMount[],
  uid: number,
  isRoot = process.getuid?.() === 0,
): Promise<void> {
  for (const { source, path } of volumes) {
    const owner = (await stat(source)).uid;
    if (owner === uid) continue;
    if (!isRoot) throw notGivable(path, owner, uid);
    await promisify(execFile)('chown', ['-hR', '--', `${uid}:${uid}`, source]);
  }
}

function notGivable(path: string, owner: number, uid: number): PlatformError {
  return new PlatformError(
    'unavailable',
    `Cannot mount a volume at "${path}": its files are user ${owner}'s, dynos of this peer run as user ${uid}, and only an agent that is root can change that`,
    { hint: 'Run this agent as root, or with --runtime process; or move the volume to another peer' },
  );
}
