const HEADER_BYTES = 8;

/**
 * Takes the Engine's multiplexed stdout and stderr apart: frames of a header (stream, length) and bytes. What is pushed may
 * cut them anywhere.
 */
export class Frames {
  readonly #onFrame: (bytes: Buffer) => void;
  #held: Buffer = Buffer.alloc(0);

  /** @param onFrame gets each whole frame's bytes, valid only during the call */
  constructor(onFrame: (bytes: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  push(data: Buffer): void {
    const all = this.#held.length === 0 ? data : Buffer.concat([this.#held, data]);
    let at = 0;
    while (at + HEADER_BYTES <= all.length) {
      const end = at + HEADER_BYTES + all.readUInt32BE(at + 4);
      if (end > all.length) break;
      this.#onFrame(all.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    // A copy: the rest of a chunk must not keep the whole chunk in memory.
    this.#held = Buffer.from(all.subarray(at));
  }
}
