import { Duplex } from 'node:stream';
import {
  encodeFrame,
  FRAME,
  FrameDecoder,
  parseResize,
  type Exit,
} from '../../src/platform/attach-frames.ts';

/** What a client does to an attached dyno besides typing. */
export type AttachControl = {
  resize(columns: number, rows: number): void;
  /** The client went away, or the stream broke, before the dyno had ended. */
  hangUp(): void;
};

/**
 * The framed side of an attached dyno: what it writes goes out as data frames, its end as an exit frame; what comes
 * in is cut into keystrokes, resizes and end of input. Back-pressure passes through both ways.
 */
export class AttachStream extends Duplex {
  readonly #stdio: Duplex;
  readonly #control: AttachControl;
  readonly #decoder = new FrameDecoder();
  #isOver = false;

  constructor(stdio: Duplex, control: AttachControl) {
    super();
    this.#stdio = stdio;
    this.#control = control;
    stdio.on('data', (chunk: Buffer) => {
      if (!this.push(encodeFrame(FRAME.data, chunk))) stdio.pause();
    });
    stdio.on('error', () => stdio.destroy());
  }

  /** The dyno has ended: the last frame says how, once all that it wrote has been read. */
  exit(exit: Exit): void {
    const last = (): void => {
      if (this.#isOver || this.destroyed) return;
      this.#isOver = true;
      this.push(encodeFrame(FRAME.exit, exit));
      this.push(null);
    };
    if (this.#stdio.readableEnded || this.#stdio.destroyed) last();
    else this.#stdio.once('end', last).once('close', last);
  }

  override _read(): void {
    this.#stdio.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      for (const { type, payload } of this.#decoder.push(chunk)) this.#take(type, payload);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#stdio.writableNeedDrain && !this.#stdio.destroyed) this.#stdio.once('drain', () => done());
    else done();
  }

  #take(type: number, payload: Buffer): void {
    if (this.#stdio.destroyed || this.#stdio.writableEnded) return;
    if (type === FRAME.data) this.#stdio.write(payload);
    else if (type === FRAME.eof) this.#stdio.end();
    else if (type === FRAME.resize) {
      const { columns, rows } = parseResize(payload);
      this.#control.resize(columns, rows);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#isOver) this.#control.hangUp();
    done(error);
  }
}
