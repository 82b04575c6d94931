import { Duplex } from 'node:stream';
import type { Stream } from '@libp2p/interface';
import { Flow } from './flow.ts';

/** What one channel may have in flight: 20 MB/s at 50 ms, and all the memory that a stalled reader can cost. */
export const CHANNEL_WINDOW_BYTES = 1024 * 1024;

/** A credited stream as Node sees it: half-close both ways, `destroy` resets the other side, memory stays bounded. */
export class Channel extends Duplex {
  readonly #flow: Flow;
  readonly #received: Uint8Array[] = [];
  #isWanting = false;
  #hasEnded = false;

  constructor(stream: Stream, onNote: (note: Uint8Array) => void) {
    super({ allowHalfOpen: true, readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 });
    this.#flow = new Flow(stream, CHANNEL_WINDOW_BYTES, {
      onData: (chunk) => {
        this.#received.push(chunk);
        this.#deliver();
      },
      onNote,
      onEnd: () => {
        this.#hasEnded = true;
        this.#deliver();
      },
      onClose: (error) => {
        if (error !== null) this.destroy(broken(error));
      },
    });
    // A channel may break while nobody looks; `close` tells its owner, and no one's agent dies of it.
    this.on('error', () => undefined);
  }

  note(payload: Uint8Array): void {
    this.#flow.note(payload);
  }

  override _read(): void {
    this.#isWanting = true;
    this.#deliver();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#flow.write(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: () => void): void {
    const last = chunks.length - 1;
    chunks.forEach(({ chunk }, index) => this.#flow.write(chunk, index === last ? done : undefined));
  }

  override _final(done: () => void): void {
    this.#flow.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#received.length = 0;
    // No effect after both sides ended: then the flow has closed by itself.
    this.#flow.abort(error ?? new Error('The channel was destroyed'));
    done(error);
  }

  #deliver(): void {
    while (this.#isWanting) {
      const chunk = this.#received.shift();
      if (chunk === undefined) break;
      this.#isWanting = this.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      this.#flow.consumed(chunk.length);
    }
    if (this.#hasEnded && this.#received.length === 0 && !this.readableEnded && !this.destroyed) {
      this.#hasEnded = false;
      this.push(null);
    }
  }
}

/** What Node's own sockets say when the other side, or the way to it, is gone. */
function broken(cause: Error): Error {
  return Object.assign(new Error(`The channel broke: ${cause.message}`, { cause }), { code: 'ECONNRESET' });
}
