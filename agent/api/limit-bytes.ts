import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';

/** Passes bytes on, and fails with `too_large` past `max` of them. */
export function limitBytes(what: string, max: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding: string, done: TransformCallback) {
      bytes += chunk.length;
      if (bytes <= max) done(null, chunk);
      else done(new PlatformError('too_large', `Cannot take the ${what}: it has more than ${max} bytes`));
    },
  });
}
