import { LineSplitter } from './line-splitter.ts';
import { LogRing } from './log-ring.ts';

/** Takes a dyno's output as it comes and keeps its last lines. */
export class LogSink {
  readonly ring = new LogRing();
  readonly #lines: LineSplitter;
  readonly #changed: () => void;
  #timeUs = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#lines = new LineSplitter((bytes, start, end) => this.ring.append(bytes, start, end, this.#timeUs));
  }

  /** @param data valid only during the call */
  push(data: Buffer): void {
    this.#timeUs = Date.now() * 1000;
    this.#lines.push(data);
    this.#changed();
  }

  /** The output has ended: what has no line end is the last line. */
  end(): void {
    this.#timeUs = Date.now() * 1000;
    this.#lines.flush();
  }
}
