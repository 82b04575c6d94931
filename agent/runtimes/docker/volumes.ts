import { normalize } from 'node:path';
import { PlatformError } from '../../../src/errors.ts';
import type { VolumeMount } from '../../../src/shell/runtime.ts';

const HOME = '/app';
/** Where a dyno's system is: nothing may be mounted over that. */
const SYSTEM = /^\/(bin|sbin|lib\w*|usr|etc|proc|dev|sys|run|var|tmp)(\/|$)/;

/** Throws `invalid_params` for a place that no volume may have. */
export function mustBeMountable(volumes: readonly VolumeMount[]): void {
  for (const { path } of volumes) {
    const isPlain = path.startsWith('/') && normalize(path) === path && !path.endsWith('/');
    if (isPlain && path !== HOME && !SYSTEM.test(path)) continue;
    const found = isPlain ? 'that is where the app or its system is' : 'it is not a plain absolute path';
    throw new PlatformError('invalid_params', `Cannot mount a volume at "${path}": ${found}`, {
      hint: `Mount it below "${HOME}", at "${HOME}/data" for example`,
    });
  }
}
