import type { Stream } from '@libp2p/interface';
import * as cbor from '@ipld/dag-cbor';
import { Flow } from './flow.ts';

/** The longest message, and what may wait for a slow peer before `send` says no. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;
export const QUEUE_BYTES_MAX = 8 * 1024 * 1024;
const WINDOW_BYTES = 256 * 1024;
const LENGTH_BYTES = 4;

export type ControlHandlers = {
  /** The other process named itself: both directions work. */
  onHello(session: string): void;
  /** The peer with the lower id says that this stream is the pair's link. */
  onUse(): void;
  onMessage(message: Uint8Array): void;
  onClose(): void;
};

type Note =
  | { readonly t: 'hello'; readonly session: string }
  | { readonly t: 'use' }
  | { readonly t: 'ping' }
  | { readonly t: 'pong' };

/** One control stream: messages of up to 1 MiB in order, and the notes that set up and test a link. */
export class Control {
  readonly #flow: Flow;
  readonly #handlers: ControlHandlers;
  readonly #reader: MessageReader;
  #pongs: (() => void)[] = [];

  constructor(stream: Stream, handlers: ControlHandlers) {
    this.#handlers = handlers;
    this.#reader = new MessageReader((message) => handlers.onMessage(message));
    this.#flow = new Flow(stream, WINDOW_BYTES, {
      onData: (chunk) => {
        this.#reader.push(chunk);
        this.#flow.consumed(chunk.length);
      },
      onNote: (note) => this.#onNote(parseNote(note)),
      onEnd: () => this.abort(new Error('The other side ended the control stream')),
      onClose: () => handlers.onClose(),
    });
  }

  /** Mono ms of the last bytes from the other side. */
  get receivedAt(): number {
    return this.#flow.receivedAt;
  }

  hello(session: string): void {
    this.#note({ t: 'hello', session });
  }

  use(): void {
    this.#note({ t: 'use' });
  }

  ping(): void {
    this.#note({ t: 'ping' });
  }

  /** Whether the other side answers a ping within `withinMs`. */
  isAlive(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      this.#pongs.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
      this.ping();
    });
  }

  /** False when it is too long, or 8 MiB wait already. */
  send(message: Uint8Array): boolean {
    if (message.length > MESSAGE_BYTES_MAX || this.#flow.isClosed) return false;
    if (this.#flow.queuedBytes + LENGTH_BYTES + message.length > QUEUE_BYTES_MAX) return false;
    this.#flow.write(lengthBytes(message.length));
    this.#flow.write(message);
    return true;
  }

  abort(error: Error): void {
    this.#flow.abort(error);
  }

  #note(note: Note): void {
    this.#flow.note(cbor.encode(note));
  }

  #onNote(note: Note): void {
    if (note.t === 'hello') this.#handlers.onHello(note.session);
    else if (note.t === 'use') this.#handlers.onUse();
    else if (note.t === 'ping') this.#note({ t: 'pong' });
    else {
      const waiting = this.#pongs;
      this.#pongs = [];
      for (const resolve of waiting) resolve();
    }
  }
}

/** Big-endian. By hand: a view on an array's buffer moves it out of V8's heap, at many times the price. */
function lengthBytes(length: number): Uint8Array {
  return Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length);
}

function parseNote(bytes: Uint8Array): Note {
  const value: unknown = cbor.decode(bytes);
  if (typeof value === 'object' && value !== null && 't' in value) {
    const { t } = value;
    if (t === 'use' || t === 'ping' || t === 'pong') return { t };
    if (t === 'hello' && 'session' in value && typeof value.session === 'string')
      return { t, session: value.session };
  }
  throw new Error('Unknown note on a control stream');
}

/** Puts messages together again: four bytes of length, big-endian, then the message. */
class MessageReader {
  readonly #onMessage: (message: Uint8Array) => void;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** Null while the length itself is incomplete. */
  #wanted: number | null = null;

  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Uint8Array): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#wanted === null) {
        if (this.#bytes < LENGTH_BYTES) return;
        const length = this.#take(LENGTH_BYTES);
        this.#wanted = new DataView(length.buffer, length.byteOffset).getUint32(0);
        if (this.#wanted > MESSAGE_BYTES_MAX) throw new Error(`A message of ${this.#wanted} bytes`);
      }
      if (this.#bytes < this.#wanted) return;
      const message = this.#take(this.#wanted);
      this.#wanted = null;
      this.#onMessage(message);
    }
  }

  #take(bytes: number): Uint8Array {
    const [only] = this.#parts;
    const all = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = all.length > bytes ? [all.subarray(bytes)] : [];
    this.#bytes -= bytes;
    return all.subarray(0, bytes);
  }
}
