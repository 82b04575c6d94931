import { rejected, type HeadLimits, type Rejection } from './http-syntax.ts';

const CR = 13;
const LF = 10;

/**
 * Finds the end of a head in bytes that come piece by piece, looking at each byte once. It refuses at once what
 * could never become a good head (a bare LF, a line too long), so that nobody waits for the rest of it; the same
 * bytes give the same answer however they are split.
 */
export class HeadScan {
  readonly #limits: HeadLimits;
  /** Where the head begins: after one empty line, if there was one (RFC 9112 2.2). */
  start = 0;
  #lineStart = 0;
  #searched = 0;
  #lines = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /**
   * @param buffer all bytes since the scan began
   * @returns the offset past the empty line that ends the head, or -1 while it has not come
   */
  scan(buffer: Buffer): number | Rejection {
    const limits = this.#limits;
    for (;;) {
      const lf = buffer.indexOf(LF, this.#searched);
      const seen = lf === -1 ? buffer.length : lf;
      // Which limit is passed first depends on the bytes alone, not on how they were split. A line that has not
      // ended may be one byte over: its CR.
      const longAt =
        this.#lineStart + (this.#lines === 0 ? limits.firstLineBytesMax : limits.lineBytesMax) + 2;
      const largeAt = this.start + limits.headBytesMax + 1;
      if (seen >= Math.min(longAt, largeAt)) return longAt <= largeAt ? this.#tooLong() : tooLarge();
      if (lf === -1) {
        this.#searched = seen;
        return -1;
      }
      if (lf === this.#lineStart || buffer[lf - 1] !== CR) {
        return rejected(400, 'a line ends in a bare LF');
      }
      const isEmpty = lf - 1 === this.#lineStart;
      this.#lineStart = this.#searched = lf + 1;
      if (!isEmpty) {
        this.#lines += 1;
        if (this.#lines > limits.headersMax + 1) return rejected(431, 'too many headers');
      } else if (this.#lines > 0) {
        return lf + 1;
      } else if (this.start > 0) {
        return rejected(400, 'empty lines come before the request');
      } else {
        this.start = lf + 1;
      }
    }
  }

  #tooLong(): Rejection {
    return this.#lines === 0
      ? rejected(414, 'the first line is too long')
      : rejected(431, 'a header is too long');
  }
}

function tooLarge(): Rejection {
  return rejected(431, 'the headers together are too large');
}
