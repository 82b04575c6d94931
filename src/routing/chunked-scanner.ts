import { FIELD_VALUE, TOKEN } from './http-syntax.ts';
import type { BodyScanner } from './body-scanner.ts';

const CR = 13;
const LF = 10;
/** `;ext=value` after a size is allowed and passed on, but nobody needs much of it. */
const EXTENSION_BYTES_MAX = 256;
const TRAILER_LINE_BYTES_MAX = 8192;
const TRAILERS_BYTES_MAX = 64 * 1024;
/** 2^48 bytes in one chunk: more digits would not stay exact. */
const SIZE_DIGITS_MAX = 12;

/** Trailers that a dyno might take for headers that decide where a message goes or ends. */
const FORBIDDEN_TRAILER =
  /^(?:content-length|transfer-encoding|host|connection|upgrade|te|trailer|expect|kith-.*)$/i;

type State =
  | 'size'
  | 'extension'
  | 'sizeLf'
  | 'data'
  | 'dataCr'
  | 'dataLf'
  | 'trailer'
  | 'trailerLf'
  | 'done';

/**
 * Follows RFC 9112 chunks strictly: plain hexadecimal sizes, CRLF and nothing else at every line's end. A chunk that
 * another reader might end elsewhere is an error, never a guess.
 */
export class ChunkedScanner implements BodyScanner {
  readonly endsWithConnection = false;
  #state: State = 'size';
  #error: string | null = null;
  /** Size digits so far, then bytes left of the chunk. */
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailer = '';
  #trailerBytes = 0;

  get isDone(): boolean {
    return this.#state === 'done';
  }

  get error(): string | null {
    return this.#error;
  }

  push(buffer: Buffer, from: number, emit?: (content: Buffer) => void): number {
    let at = from;
    while (at < buffer.length && this.#state !== 'done' && this.#error === null) {
      if (this.#state === 'data') {
        const end = Math.min(buffer.length, at + this.#left);
        if (emit !== undefined) emit(buffer.subarray(at, end));
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#state = 'dataCr';
      } else {
        this.#step(buffer.readUInt8(at));
        at += 1;
      }
    }
    return at;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#onSize(byte);
      case 'extension':
        return this.#onExtension(byte);
      case 'sizeLf':
        return this.#expectLf(byte, this.#left === 0 ? 'trailer' : 'data');
      case 'dataCr':
        if (byte === CR) this.#state = 'dataLf';
        else this.#fail('a chunk longer than its size');
        return;
      case 'dataLf':
        this.#left = this.#digits = this.#extensionBytes = 0;
        return this.#expectLf(byte, 'size');
      case 'trailer':
        return this.#onTrailer(byte);
      case 'trailerLf':
        return this.#onTrailerEnd(byte);
      case 'data':
      case 'done':
    }
  }

  #onSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit !== -1) {
      this.#left = this.#left * 16 + digit;
      this.#digits += 1;
      if (this.#digits > SIZE_DIGITS_MAX) this.#fail('a chunk size with too many digits');
    } else if (this.#digits === 0) this.#fail('a chunk without a size');
    else if (byte === CR) this.#state = 'sizeLf';
    else if (byte === 59) this.#state = 'extension';
    else this.#fail('a chunk size with bad characters');
  }

  #onExtension(byte: number): void {
    this.#extensionBytes += 1;
    if (byte === CR) this.#state = 'sizeLf';
    else if (byte !== 9 && (byte < 32 || byte > 126)) this.#fail('a chunk extension with bad characters');
    else if (this.#extensionBytes > EXTENSION_BYTES_MAX) this.#fail('a chunk extension that is too long');
  }

  #onTrailer(byte: number): void {
    if (byte === CR) {
      this.#state = 'trailerLf';
      return;
    }
    this.#trailer += String.fromCharCode(byte);
    this.#trailerBytes += 1;
    if (byte === LF) this.#fail('a bare LF in the trailers');
    else if (this.#trailer.length > TRAILER_LINE_BYTES_MAX || this.#trailerBytes > TRAILERS_BYTES_MAX) {
      this.#fail('trailers that are too large');
    }
  }

  #onTrailerEnd(byte: number): void {
    if (this.#trailer === '') return this.#expectLf(byte, 'done');
    const colon = this.#trailer.indexOf(':');
    const name = this.#trailer.slice(0, Math.max(colon, 0));
    const isGood = TOKEN.test(name) && FIELD_VALUE.test(this.#trailer.slice(colon + 1));
    if (!isGood || FORBIDDEN_TRAILER.test(name.replaceAll('_', '-'))) return this.#fail('a bad trailer');
    this.#trailer = '';
    this.#expectLf(byte, 'trailer');
  }

  #expectLf(byte: number, next: State): void {
    if (byte === LF) this.#state = next;
    else this.#fail('a CR without its LF');
  }

  #fail(error: string): void {
    this.#error = error;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
