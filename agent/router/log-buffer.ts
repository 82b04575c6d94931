import type { RouterLog } from '../../src/shell/router.ts';

export type LogBatch = { readonly lines: readonly RouterLog[]; readonly dropped: number };

const BATCH_LINES_MAX = 500;
const BATCH_EVERY_MS = 50;

/** Lines on their way to the agent. Bounded: the oldest are dropped and counted while the agent is away or slow. */
export class LogBuffer {
  readonly #linesMax: number;
  readonly #send: (batch: LogBatch) => boolean;
  #lines: RouterLog[] = [];
  /** Where the lines not yet sent begin: shifting an array for each line would cost its length. */
  #first = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param send hands a batch to the agent; false when it is away or has not taken the last ones */
  constructor(linesMax: number, send: (batch: LogBatch) => boolean) {
    this.#linesMax = linesMax;
    this.#send = send;
  }

  push(line: RouterLog): void {
    this.#lines.push(line);
    if (this.#lines.length - this.#first > this.#linesMax) {
      this.#first += 1;
      this.#dropped += 1;
    }
    if (this.#first > this.#linesMax) this.#compact();
    this.#timer ??= setTimeout(() => this.flush(), BATCH_EVERY_MS);
  }

  /** Sends what the agent takes now; the rest is tried again with the next line or the agent's return. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#first < this.#lines.length || this.#dropped > 0) {
      const lines = this.#lines.slice(this.#first, this.#first + BATCH_LINES_MAX);
      if (!this.#send({ lines, dropped: this.#dropped })) break;
      this.#first += lines.length;
      this.#dropped = 0;
    }
    this.#compact();
  }

  #compact(): void {
    this.#lines = this.#lines.slice(this.#first);
    this.#first = 0;
  }
}
