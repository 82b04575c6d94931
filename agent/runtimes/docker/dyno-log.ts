import type { Readable } from 'node:stream';
import { LineSplitter } from '../keeper/line-splitter.ts';
import { Frames } from './frames.ts';
import type { LogPosition } from './launch-files.ts';

/** `2026-01-31T12:00:00.123456789Z`, of fixed width, and a space. */
const TIME_CHARS = 30;
const NEWLINE = 10;

export type LogLine = { readonly seq: number; readonly timeUs: number; readonly text: string };

/**
 * Numbers the lines of one dyno's log as the Engine keeps it. The Engine's time of each write, unique within a container,
 * says where to go on after a break, and lets what it sends twice when its files rotate be known.
 *
 * Who follows the log while two of its files are begun sees the second only (Engine 20.10): a dyno that writes tens of MB a
 * second, faster than they are read, loses whole files of lines. Nothing that the Engine tells shows it, so these lines have
 * no numbers either. Only a position that is gone after a break can be told: a gap of one stands for what went with it.
 */
export class DynoLog {
  readonly #onLine: (line: LogLine) => void;
  #position: LogPosition;
  /** Number of the last line that was told; those before it are counted only. */
  #toldSeq: number;
  #lines!: LineSplitter;
  #frames!: Frames;
  #seq = 0;
  #time = '';
  #isMidLine = false;
  #mustFindPosition = false;

  /** @param toldSeq lines up to this number were told by a former agent */
  constructor(position: LogPosition, toldSeq: number, onLine: (line: LogLine) => void) {
    this.#position = position;
    this.#toldSeq = toldSeq;
    this.#onLine = onLine;
    this.restart();
  }

  /** The last whole line that was counted: where to go on after a break. */
  get position(): LogPosition {
    return this.#position;
  }

  /** What to ask the Engine for: its `since`, in seconds. */
  get since(): string {
    const { since } = this.#position;
    if (since === '') return '0';
    return `${Math.floor(Date.parse(since) / 1000)}.${since.slice(20, 29)}`;
  }

  /** Reads a stream of the Engine's log, from `since`, to its end. */
  async read(stream: Readable): Promise<void> {
    this.restart();
    for await (const data of stream as AsyncIterable<Buffer>) this.#frames.push(data);
  }

  /** A new stream begins after the last whole line. */
  restart(): void {
    this.#seq = this.#position.seq;
    this.#time = this.#position.since;
    this.#isMidLine = false;
    this.#mustFindPosition = this.#position.since !== '';
    this.#frames = new Frames((frame) => this.#onFrame(frame));
    this.#lines = new LineSplitter((bytes, start, end) => this.#tell(bytes, start, end));
  }

  /** No more will come: what has no line end is the last line. */
  end(): void {
    this.#lines.flush();
  }

  #onFrame(frame: Buffer): void {
    const time = frame.toString('latin1', 0, TIME_CHARS);
    if (this.#mustFindPosition) {
      this.#mustFindPosition = false;
      if (time > this.#position.since) this.#seq += 1;
    }
    const isOld = time < this.#time || (time === this.#time && !this.#isMidLine);
    if (isOld) return;
    this.#time = time;
    this.#lines.push(frame.subarray(TIME_CHARS + 1));
    this.#isMidLine = frame.at(-1) !== NEWLINE;
    if (!this.#isMidLine) this.#position = { seq: this.#seq, since: time };
  }

  #tell(bytes: Buffer, start: number, end: number): void {
    this.#seq += 1;
    if (this.#seq <= this.#toldSeq) return;
    this.#toldSeq = this.#seq;
    this.#onLine({
      seq: this.#seq,
      timeUs: microseconds(this.#time),
      text: bytes.toString('utf8', start, end),
    });
  }
}

function microseconds(time: string): number {
  return Date.parse(`${time.slice(0, 19)}Z`) * 1_000 + Math.floor(Number(time.slice(20, 29)) / 1_000);
}
