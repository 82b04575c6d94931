/** Heroku cuts log lines at 10,000 bytes. https://devcenter.heroku.com/articles/logging#log-line-length */
export const LINE_BYTES_MAX = 10_000;

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/** Gets the line that `bytes` hold from `start` to `end`; they are valid only during the call. */
type OnLine = (bytes: Buffer, start: number, end: number) => void;

/**
 * Cuts a byte stream into lines, at `\n` or after 10,000 bytes, there without breaking a UTF-8 character in two. Lines are
 * ranges, not objects of their own: a flood of short ones makes no garbage.
 */
export class LineSplitter {
  readonly #onLine: OnLine;
  readonly #held = Buffer.allocUnsafe(LINE_BYTES_MAX);
  #heldBytes = 0;

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  push(data: Buffer): void {
    let at = 0;
    for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, at)) {
      if (this.#heldBytes === 0 && end - at <= LINE_BYTES_MAX) {
        this.#tell(data, at, end);
      } else {
        this.#hold(data, at, end);
        this.#tell(this.#held, 0, this.#heldBytes);
        this.#heldBytes = 0;
      }
      at = end + 1;
    }
    this.#hold(data, at, data.length);
  }

  /** At the end of the stream: what is held is the last line. */
  flush(): void {
    if (this.#heldBytes > 0) this.#tell(this.#held, 0, this.#heldBytes);
    this.#heldBytes = 0;
  }

  #hold(data: Buffer, start: number, end: number): void {
    let at = start;
    while (this.#heldBytes + end - at > LINE_BYTES_MAX) {
      at += data.copy(this.#held, this.#heldBytes, at, end);
      const cut = wholeCharacters(this.#held);
      this.#onLine(this.#held, 0, cut);
      this.#held.copyWithin(0, cut);
      this.#heldBytes = LINE_BYTES_MAX - cut;
    }
    this.#heldBytes += data.copy(this.#held, this.#heldBytes, at, end);
  }

  #tell(bytes: Buffer, start: number, end: number): void {
    const hasReturn = end > start && bytes[end - 1] === CARRIAGE_RETURN;
    this.#onLine(bytes, start, hasReturn ? end - 1 : end);
  }
}

/** Length of `bytes` without a character that is cut off at its end. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return wanted > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
