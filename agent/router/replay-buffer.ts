/** The start of a request's body, kept as long as the request might have to be sent again. */
export class ReplayBuffer {
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isForgotten = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  /** Whatever comes next is more than may be kept. */
  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax;
  }

  /** Bytes are missing: the request cannot be sent again. */
  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  push(chunk: Buffer): void {
    if (this.#isForgotten) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  forget(): void {
    this.#isForgotten = true;
    this.#chunks = [];
  }
}
