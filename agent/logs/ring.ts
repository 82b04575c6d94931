import { matchesFilter } from '../../src/logs/filter.ts';
import type { LogFilter, LogLine } from '../../src/logs/line.ts';
import type { LogPosition } from '../../src/logs/position.ts';
import { wireBytes } from '../../src/logs/wire.ts';

// What Heroku keeps per app. https://devcenter.heroku.com/articles/logging#log-history-limits
export const RING_LINES = 1_500;
/** Memory that one app's ring may take, however long its lines are. */
export const RING_BYTES_MAX = 4 * 1024 * 1024;

/** The last lines of one app that this peer made, oldest first. */
export class LogRing {
  readonly boot: number;
  /** Numbers from here on were given by this run of the agent. */
  readonly #firstOfBoot: number;
  #lines: LogLine[];
  /** Index of the oldest line that counts: dropping one moves it, and now and then the array is cut. */
  #head = 0;
  #bytes = 0;
  #lastSeq: number;

  constructor(boot: number, lines: readonly LogLine[] = []) {
    this.boot = boot;
    this.#lines = [];
    this.#lastSeq = 0;
    for (const line of lines) this.push(line);
    this.#firstOfBoot = this.#lastSeq + 1;
  }

  get nextSeq(): number {
    return this.#lastSeq + 1;
  }

  get position(): LogPosition {
    return { boot: this.boot, seq: this.#lastSeq };
  }

  push(line: LogLine): void {
    this.#lines.push(line);
    this.#lastSeq = line.seq;
    this.#bytes += wireBytes(line);
    while (this.#lines.length - this.#head > RING_LINES || this.#bytes > RING_BYTES_MAX) {
      const oldest = this.#lines[this.#head];
      if (oldest !== undefined) this.#bytes -= wireBytes(oldest);
      this.#head += 1;
    }
    if (this.#head > RING_LINES) {
      this.#lines = this.#lines.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The newest `count` lines that the filter lets through, oldest first. */
  last(count: number, filter: LogFilter): readonly LogLine[] {
    const found: LogLine[] = [];
    for (let i = this.#lines.length - 1; i >= this.#head && found.length < count; i -= 1) {
      const line = this.#lines[i];
      if (line !== undefined && matchesFilter(filter, line)) found.push(line);
    }
    return found.reverse();
  }

  /** All lines after a reader's position. Numbers that a crash gave twice count as new. */
  after(position: LogPosition): readonly LogLine[] {
    const seq = position.boot === this.boot ? position.seq : Math.min(position.seq, this.#firstOfBoot - 1);
    const kept = this.#lines.slice(this.#head);
    return kept.filter((line) => line.seq > seq);
  }
}
