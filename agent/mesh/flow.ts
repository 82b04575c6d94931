import type { Stream } from '@libp2p/interface';
import { abortQuietly } from './abort.ts';
import { DATA_BYTES_MAX, FRAME, FrameReader, HEADER_BYTES, writeHeader } from './frames.ts';

export type FlowHandlers = {
  /** Bytes in order. Give their credit back with `consumed` once they no longer take memory here. */
  onData(chunk: Uint8Array): void;
  onNote(note: Uint8Array): void;
  /** The other side will send no more data. */
  onEnd(): void;
  /** Once: null after both sides ended, else why the stream broke. */
  onClose(error: Error | null): void;
};

type Queued = { readonly chunk: Uint8Array; readonly done: (() => void) | undefined };

const CLOSE_MS = 10_000;

/**
 * A byte stream with back-pressure that holds, over one libp2p stream. libp2p's own does not: `onDrain()` resolves
 * once, `pause()` in a handler is undone, `for await` buffers without bound. So the receiver is never paused; instead
 * the sender spends credit, `windowBytes` at first, that the receiver gives back as it consumes. Each side ends its
 * data with an `end` frame rather than by closing the stream, because credit must still flow after it.
 */
export class Flow {
  readonly #stream: Stream;
  readonly #handlers: FlowHandlers;
  readonly #windowBytes: number;
  readonly #reader: FrameReader;
  #queue: Queued[] = [];
  /** Index of the first chunk still to send, and how much of it is sent. A moving index: `shift` is slow on a long queue. */
  #head = 0;
  #sentOfHead = 0;
  #queuedBytes = 0;
  #credit: number;
  #allowance: number;
  #owed = 0;
  #isPumpDue = false;
  #end: 'open' | 'queued' | 'sent' = 'open';
  #endSent: (() => void) | undefined;
  #remoteEnded = false;
  #isClosed = false;
  /** Mono ms of the last bytes from the other side. */
  receivedAt = performance.now();

  /** @param windowBytes the same constant on both sides of a protocol */
  constructor(stream: Stream, windowBytes: number, handlers: FlowHandlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#windowBytes = windowBytes;
    this.#credit = windowBytes;
    this.#allowance = windowBytes;
    this.#reader = new FrameReader({
      onData: (chunk) => this.#receive(chunk),
      onFrame: (type, payload) => this.#receiveFrame(type, payload),
    });
    stream.addEventListener('drain', () => this.#schedulePump());
    stream.addEventListener('close', (event) => this.#onStreamClosed(event.error));
    stream.addEventListener('remoteCloseWrite', () => {
      if (!this.#remoteEnded) this.abort(new Error('The other side closed the stream early'));
    });
    stream.addEventListener('message', (event) => this.#onMessage(event.data));
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Queues bytes; `done` is called when they are copied out of `chunk`. The caller bounds what it queues. */
  write(chunk: Uint8Array, done?: () => void): void {
    if (this.#isClosed || this.#end !== 'open') return;
    if (chunk.length === 0) {
      if (done !== undefined) queueMicrotask(done);
      return;
    }
    this.#queue.push({ chunk, done });
    this.#queuedBytes += chunk.length;
    this.#schedulePump();
  }

  /** A small record beside the data, at once and outside of credit. */
  note(payload: Uint8Array): void {
    this.#send(FRAME.note, payload);
  }

  /** No more data will be written; what is queued goes first. */
  end(done?: () => void): void {
    if (this.#end !== 'open') return;
    this.#end = 'queued';
    this.#endSent = done;
    this.#schedulePump();
  }

  /** Gives credit back, in few large steps. */
  consumed(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed < this.#windowBytes / 4 || this.#isClosed || this.#remoteEnded) return;
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, this.#owed);
    this.#allowance += this.#owed;
    this.#owed = 0;
    this.#send(FRAME.credit, payload);
  }

  /** Ends the stream at once, for both sides. */
  abort(error: Error): void {
    if (this.#isClosed) return;
    abortQuietly(this.#stream, error);
    this.#closed(error);
  }

  #schedulePump(): void {
    if (this.#isPumpDue || this.#isClosed) return;
    this.#isPumpDue = true;
    // Writes of one tick leave as one frame.
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#isClosed && this.#queuedBytes > 0 && this.#credit > 0 && !this.#stream.writableNeedsDrain) {
      const bytes = Math.min(this.#queuedBytes, this.#credit, DATA_BYTES_MAX);
      const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes);
      writeHeader(frame, FRAME.data, bytes);
      const done = this.#fill(frame, bytes);
      this.#credit -= bytes;
      if (!this.#sendRaw(frame)) return;
      for (const callback of done) callback();
    }
    if (this.#end === 'queued' && this.#queuedBytes === 0 && !this.#isClosed) {
      this.#end = 'sent';
      if (!this.#send(FRAME.end, new Uint8Array(0))) return;
      this.#endSent?.();
      this.#closeWhenBothEnded();
    }
  }

  /** Moves `bytes` bytes from the queue into a frame, behind its header; returns what waited for their copying. */
  #fill(frame: Buffer, bytes: number): (() => void)[] {
    const done: (() => void)[] = [];
    let at = HEADER_BYTES;
    const until = HEADER_BYTES + bytes;
    while (at < until) {
      const head = this.#queue[this.#head];
      if (head === undefined) throw new Error('A flow queue holds fewer bytes than it counts');
      const part = head.chunk.subarray(this.#sentOfHead, this.#sentOfHead + until - at);
      frame.set(part, at);
      at += part.length;
      this.#sentOfHead += part.length;
      if (this.#sentOfHead < head.chunk.length) break;
      this.#head += 1;
      this.#sentOfHead = 0;
      if (head.done !== undefined) done.push(head.done);
    }
    this.#queuedBytes -= bytes;
    if (this.#head > 1024 || this.#queuedBytes === 0) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return done;
  }

  #send(type: number, payload: Uint8Array): boolean {
    const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
    writeHeader(frame, type, payload.length);
    frame.set(payload, HEADER_BYTES);
    return this.#sendRaw(frame);
  }

  #sendRaw(frame: Buffer): boolean {
    if (this.#isClosed) return false;
    try {
      this.#stream.send(frame);
      return true;
    } catch (cause) {
      this.abort(new Error('Could not write to the stream', { cause }));
      return false;
    }
  }

  #onMessage(data: Uint8Array | Iterable<Uint8Array>): void {
    if (this.#isClosed) return;
    this.receivedAt = performance.now();
    try {
      if (data instanceof Uint8Array) this.#reader.push(data);
      else for (const part of data) this.#reader.push(part);
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    // Should a drain event be lost, the other side's next frame gets us going again.
    if (this.#queuedBytes > 0) this.#schedulePump();
  }

  #receive(chunk: Uint8Array): void {
    this.#allowance -= chunk.length;
    if (this.#allowance < 0 || this.#remoteEnded) throw new Error('The other side sent more than it may');
    this.#handlers.onData(chunk);
  }

  #receiveFrame(type: number, payload: Uint8Array): void {
    if (type === FRAME.note) {
      this.#handlers.onNote(payload);
    } else if (type === FRAME.credit) {
      if (payload.length !== 4) throw new Error('A credit frame of a wrong size');
      this.#credit += new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
      if (this.#credit > this.#windowBytes) throw new Error('The other side gave more credit than was used');
      this.#schedulePump();
    } else if (!this.#remoteEnded) {
      this.#remoteEnded = true;
      this.#handlers.onEnd();
      this.#closeWhenBothEnded();
    }
  }

  #closeWhenBothEnded(): void {
    if (this.#end !== 'sent' || !this.#remoteEnded || this.#isClosed) return;
    this.#closed(null);
    this.#stream.close({ signal: AbortSignal.timeout(CLOSE_MS) }).catch((error: unknown) => {
      abortQuietly(this.#stream, error instanceof Error ? error : String(error));
    });
  }

  #onStreamClosed(error: Error | undefined): void {
    this.#closed(error ?? new Error('The connection was lost'));
  }

  #closed(error: Error | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#handlers.onClose(error);
  }
}
