import { ChunkedScanner } from './chunked-scanner.ts';
import type { BodyLength } from './http-syntax.ts';

/** Follows a body through the bytes of a connection, so that they can be passed on as they are. */
export interface BodyScanner {
  /** The body's last byte has been seen. */
  readonly isDone: boolean;
  /** Only the connection's end is the body's end. */
  readonly endsWithConnection: boolean;
  /** Why the body cannot be followed any further; nothing after it may be passed on. */
  readonly error: string | null;
  /**
   * @param emit gets the content without the framing, piece by piece
   * @returns the offset in `buffer` where the body's bytes end: its length while the body goes on
   */
  push(buffer: Buffer, from: number, emit?: (content: Buffer) => void): number;
}

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
