import { Duplex } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import {
  encodeFrame,
  FRAME,
  FRAME_BYTES_MAX,
  FrameDecoder,
  parseResize,
  type Exit,
  type FrameType,
} from '../../src/platform/attach-frames.ts';

/** What a client does to an attached process besides typing. */
export type AttachControl = {
  resize(columns: number, rows: number): void;
  /** Before the process had ended the client went away, or never came, or the stream broke. Called once at most. */
  hangUp(why: 'left' | 'absent'): void;
};

/** `idleMs`: closed after so long without a byte either way. `flushMs`: what a process left open is heard so long. */
export type AttachLimits = { readonly idleMs: number; readonly flushMs: number };

// https://devcenter.heroku.com/articles/one-off-dynos#timeout
const LIMITS: AttachLimits = { idleMs: 3_600_000, flushMs: 5_000 };

/**
 * The framed side of an attached process: what it writes goes out as data frames, its end as an exit frame; what comes
 * in is cut into keystrokes, resizes and end of input. Back-pressure passes through both ways.
 */
export class AttachStream extends Duplex {
  readonly #stdio: Duplex;
  readonly #control: AttachControl;
  readonly #limits: AttachLimits;
  readonly #decoder = new FrameDecoder();
  readonly #idle: NodeJS.Timeout;
  #flush: NodeJS.Timeout | null = null;
  /** How it ended, once that is known. */
  #last: Buffer | null = null;
  #isOver = false;
  #isHungUp = false;

  constructor(stdio: Duplex, control: AttachControl, limits: AttachLimits = LIMITS) {
    super();
    this.#stdio = stdio;
    this.#control = control;
    this.#limits = limits;
    this.#idle = setTimeout(() => this.#closeIdle(), limits.idleMs).unref();
    stdio.on('data', (chunk: Buffer) => {
      this.#idle.refresh();
      this.#flush?.refresh();
      this.#say(chunk);
    });
    stdio.on('error', () => stdio.destroy());
    // A client's nonsense breaks its stream while perhaps nobody looks; `close` tells the owner, and no agent dies of it.
    this.on('error', () => undefined);
  }

  #say(chunk: Buffer): void {
    if (this.#isOver) return;
    let hasRoom = true;
    for (let at = 0; at < chunk.length; at += FRAME_BYTES_MAX) {
      hasRoom = this.push(encodeFrame(FRAME.data, chunk.subarray(at, at + FRAME_BYTES_MAX)));
    }
    if (!hasRoom) this.#stdio.pause();
  }

  /** The process has ended: the last frame says how, once all that it wrote has been read. */
  exit(exit: Exit): void {
    this.#finish(FRAME.exit, exit);
  }

  /** How the process ended cannot be known. */
  fail(error: PlatformError): void {
    this.#finish(FRAME.error, error.toRecord());
  }

  #finish(type: FrameType, payload: object): void {
    if (this.#last !== null || this.destroyed) return;
    this.#last = encodeFrame(type, payload);
    const stdio = this.#stdio;
    if (stdio.readableEnded || stdio.destroyed) {
      this.#conclude();
      return;
    }
    stdio.once('end', () => this.#conclude()).once('close', () => this.#conclude());
    // Something that it started may have kept its output open.
    this.#flush = setTimeout(() => this.#onSilence(), this.#limits.flushMs).unref();
  }

  /** Silence of a stream that waits for its reader says nothing. */
  #onSilence(): void {
    if (this.#stdio.isPaused()) this.#flush?.refresh();
    else this.#conclude();
  }

  #conclude(): void {
    if (this.#isOver || this.destroyed) return;
    this.#isOver = true;
    this.#stopTimers();
    this.push(this.#last);
    this.push(null);
    this.#stdio.destroy();
  }

  #closeIdle(): void {
    this.#hangUp('left');
    this.#last ??= encodeFrame(FRAME.error, idleError(this.#limits.idleMs).toRecord());
    this.#conclude();
    // Whoever has not read for so long may not read this either.
    setTimeout(() => this.destroy(), this.#limits.flushMs).unref();
  }

  override _read(): void {
    this.#stdio.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#idle.refresh();
    try {
      for (const { type, payload } of this.#decoder.push(chunk)) this.#take(type, payload);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#whenDrained(done);
  }

  /** Calls `done` when the process has room for more input, or wants none any more. */
  #whenDrained(done: () => void): void {
    const stdio = this.#stdio;
    if (!stdio.writableNeedDrain || stdio.destroyed) {
      done();
      return;
    }
    const settle = (): void => {
      stdio.off('drain', settle).off('close', settle);
      done();
    };
    stdio.on('drain', settle).on('close', settle);
  }

  #take(type: FrameType, payload: Buffer): void {
    if (type === FRAME.absent) this.#hangUp('absent');
    if (this.#stdio.destroyed || this.#stdio.writableEnded) return;
    if (type === FRAME.data) this.#stdio.write(payload);
    else if (type === FRAME.eof) this.#stdio.end();
    else if (type === FRAME.resize) {
      const { columns, rows } = parseResize(payload);
      this.#control.resize(columns, rows);
    }
  }

  /** The end of input is a frame: a client whose bytes end has left. */
  override _final(done: (error?: Error | null) => void): void {
    done();
    if (!this.#isOver) this.destroy();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stopTimers();
    this.#hangUp('left');
    this.#stdio.destroy();
    done(error);
  }

  #hangUp(why: 'left' | 'absent'): void {
    if (this.#isOver || this.#isHungUp) return;
    this.#isHungUp = true;
    this.#control.hangUp(why);
  }

  #stopTimers(): void {
    clearTimeout(this.#idle);
    if (this.#flush !== null) clearTimeout(this.#flush);
  }
}

function idleError(idleMs: number): PlatformError {
  const minutes = Math.round(idleMs / 60_000);
  return new PlatformError('timeout', `Closed after ${minutes} minutes without input or output`, {
    hint: 'What should go on without you runs by `kith run:detached`',
  });
}
