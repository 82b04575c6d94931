import type { BodyScanner } from './body-scanner.ts';
import { ChunkedScanner } from './chunked-scanner.ts';
import type { BodyLength } from './http-syntax.ts';

/** The scanner for a body of this length; `close` ends only with the connection. */
export function scanBody(length: BodyLength): BodyScanner {
  if (length === 'chunked') return new ChunkedScanner();
  return length === 'close' ? new EndlessScanner() : new LengthScanner(length);
}

class LengthScanner implements BodyScanner {
  readonly endsWithConnection = false;
  readonly error = null;
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  push(buffer: Buffer, from: number, emit?: (content: Buffer) => void): number {
    const end = Math.min(buffer.length, from + this.#left);
    this.#left -= end - from;
    if (emit !== undefined && end > from) emit(buffer.subarray(from, end));
    return end;
  }
}

class EndlessScanner implements BodyScanner {
  readonly endsWithConnection = true;
  readonly error = null;
  readonly isDone = false;

  push(buffer: Buffer, from: number, emit?: (content: Buffer) => void): number {
    if (emit !== undefined && buffer.length > from) emit(buffer.subarray(from));
    return buffer.length;
  }
}
