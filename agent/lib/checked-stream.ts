import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';

const CHECKSUM_PATTERN = /^SHA256:([0-9a-f]{64})$/i;

/** The hash of a `SHA256:…` checksum, lower case. @throws PlatformError `invalid_params` for any other */
export function parseChecksum(checksum: string): string {
  const hex = CHECKSUM_PATTERN.exec(checksum)?.[1];
  if (hex !== undefined) return hex.toLowerCase();
  throw new PlatformError('invalid_params', `"${checksum.slice(0, 100)}" is no checksum`, {
    hint: 'Checksums look like "SHA256:" and 64 hex digits',
  });
}

/** Passes bytes on and hashes them; where they are not those of `wanted`, their end is an error. */
export class CheckedStream extends Transform {
  readonly #hash = createHash('sha256');
  readonly #wanted: string | null;
  readonly #what: string;
  #found: string | null = null;

  /** @param wanted SHA-256 in hex; null: whatever comes */
  constructor(what: string, wanted: string | null) {
    super();
    this.#what = what;
    this.#wanted = wanted;
  }

  /** The hash, in hex, of all that has passed; null before its end. */
  get sha256(): string | null {
    return this.#found;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.#found = this.#hash.digest('hex');
    if (this.#wanted === null || this.#found === this.#wanted) done();
    else done(mismatch(this.#what, this.#wanted, this.#found));
  }
}

export function mismatch(what: string, wanted: string, found: string): PlatformError {
  return new PlatformError(
    'invalid_params',
    `Cannot take the ${what}: its checksum is SHA256:${found}, not SHA256:${wanted}`,
    { hint: 'It was damaged on the way, or is another file' },
  );
}
