import { overflowNotice, type DrainMessage } from './drain-frame.ts';
import type { LogLine } from './line.ts';
import type { DrainCursor } from './drain-cursor.ts';

/** A line of the app, with the run of the agent that numbered it. */
export type DrainLine = { readonly line: LogLine; readonly boot: number };

/** Messages that were taken to be sent together. */
export type DrainBatch = {
  /** What is sent: a notice first, where messages were dropped before these. */
  readonly messages: readonly DrainMessage[];
  readonly lines: readonly DrainLine[];
  /** Lost before these; counted again if the batch comes back. */
  readonly dropped: number;
};

// As on Heroku. https://devcenter.heroku.com/articles/error-codes#l10-drain-buffer-overflow
export const DRAIN_MESSAGES_MAX = 1_024;

/**
 * What one drain has yet to send. Never grows past its bound: what is dropped is the oldest, and the receiver is told
 * how many there were. `cursor` is how far the drain has got: what follows it in the peers' logs has yet to be sent.
 */
export class DrainBuffer {
  readonly cursor: DrainCursor;
  #lines: DrainLine[] = [];
  #dropped = 0;
  /** Wall microseconds of the first that was dropped. */
  #droppedSinceUs = 0;

  constructor(cursor: DrainCursor) {
    this.cursor = cursor;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#dropped === 0;
  }

  get size(): number {
    return this.#lines.length;
  }

  push(line: DrainLine): void {
    this.#lines.push(line);
    if (this.#lines.length > DRAIN_MESSAGES_MAX) this.#dropOldest();
  }

  /** Messages that were lost before they came here. */
  lose(count: number, nowUs: number): void {
    if (this.#dropped === 0) this.#droppedSinceUs = nowUs;
    this.#dropped += count;
  }

  /** The oldest messages, at most so many, and at most so many bytes of text unless the first alone has more. */
  take(countMax: number, bytesMax: number, nowUs: number): DrainBatch {
    let bytes = 0;
    let count = 0;
    for (const { line } of this.#lines.slice(0, countMax)) {
      bytes += Buffer.byteLength(line.text);
      if (bytes > bytesMax && count > 0) break;
      count += 1;
    }
    const lines = this.#lines.splice(0, count);
    const dropped = this.#dropped;
    const notice = dropped === 0 ? [] : [overflowNotice(dropped, this.#droppedSinceUs, nowUs)];
    this.#dropped = 0;
    return { messages: [...notice, ...lines.map(({ line }) => line)], lines, dropped };
  }

  /** The batch is through, or given up: it is never sent again. */
  settle({ lines }: DrainBatch): void {
    for (const { line, boot } of lines) this.cursor.pass(line.peer, { boot, seq: line.seq });
  }

  /** The batch may not have got through, and is sent again, before what came since. */
  putBack({ lines, dropped }: DrainBatch, nowUs: number): void {
    this.#lines = [...lines, ...this.#lines];
    if (dropped > 0) this.lose(dropped, nowUs);
    while (this.#lines.length > DRAIN_MESSAGES_MAX) this.#dropOldest();
  }

  #dropOldest(): void {
    const oldest = this.#lines.shift();
    if (oldest === undefined) return;
    // The cursor stays: what is under way, and older, may not be through yet.
    this.lose(1, oldest.line.timeUs);
  }
}
