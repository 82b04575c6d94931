import { Readable } from 'node:stream';

// Output is cut off here: no build may fill the peer's memory.
const BYTES_MAX = 4 * 1024 * 1024;
const CUT_NOTICE = ' !     The rest of the output is cut off\n';

/** The text of one build or release command: kept from its start, and live to whoever reads it while it grows. */
export class OutputLog {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #isEnded = false;
  #changed = Promise.withResolvers<void>();

  /** Text past the limit is dropped, and the output says so. */
  write(text: string): void {
    if (this.#isEnded || this.#bytes >= BYTES_MAX) return;
    const chunk = Buffer.from(text);
    const fits = this.#bytes + chunk.length < BYTES_MAX;
    this.#chunks.push(fits ? chunk : Buffer.from(CUT_NOTICE));
    this.#bytes = fits ? this.#bytes + chunk.length : BYTES_MAX;
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** From the start; ends with what is written. */
  read(): Readable {
    return Readable.from(this.#follow(), { objectMode: false });
  }

  async *#follow(): AsyncGenerator<Buffer> {
    for (let next = 0; ;) {
      const changed = this.#changed.promise;
      for (let chunk = this.#chunks[next]; chunk !== undefined; chunk = this.#chunks[next]) {
        next += 1;
        yield chunk;
      }
      if (this.#isEnded && next >= this.#chunks.length) return;
      await changed;
    }
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}
