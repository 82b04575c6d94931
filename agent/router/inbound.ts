import type { Socket } from 'node:net';
import { scanBody } from '../../src/routing/body-framing.ts';
import { type BodyScanner } from '../../src/routing/body-scanner.ts';
import { RequestHeadParser } from '../../src/routing/head-parser.ts';
import type { Rejection } from '../../src/routing/http-syntax.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import type { Deadlines, Timed } from './deadlines.ts';
import type { RouterSettings } from './settings.ts';

/** What answers one request; it hears of the rest of the request, and of the client. */
export interface Responder {
  onBody(chunk: Buffer): void;
  onBodyEnd(): void;
  /** The body cannot be followed: nothing more of it comes. */
  onBadBody(): void;
  /** More of the response may be written. */
  onClientDrain(): void;
  /** The client closed or broke the connection: nothing can be answered. */
  onGone(): void;
}

/** What an `Inbound` is for. */
export interface InboundOwner {
  /** A request came. Null when it has been answered already. */
  onRequest(inbound: Inbound, head: RequestHead): Responder | null;
  /** What came is no request: the answer (latin1) that says so, after which the connection is closed. */
  refuse(rejection: Rejection): string;
  onClose(inbound: Inbound): void;
}

/** What a connection needs of the router process. */
export type InboundContext = {
  readonly settings: RouterSettings;
  readonly deadlines: Deadlines;
};

/** Input kept while nobody wants it, before reading stops; reading goes on that long to see a client leave. */
const STASH_BYTES_MAX = 64 * 1024;
const DISCARD_BYTES_MAX = 1024 * 1024;

/**
 * `head`: between or in a head; `body`: the responder gets it; `answer`: the request is complete, its response not;
 * `discard`: answered before its end; `linger`: closed by us, input dropped so that no reset eats our last words.
 */
type State = 'head' | 'body' | 'answer' | 'discard' | 'linger' | 'closed';

/** The serving side of one connection: reads requests strictly one after another, pipelined or not. */
export class Inbound implements Timed {
  readonly socket: Socket;
  readonly #owner: InboundOwner;
  readonly #context: InboundContext;
  dueAt: number;
  #state: State = 'head';
  #stash: Buffer | null = null;
  #parser = new RequestHeadParser();
  #body: BodyScanner | null = null;
  #responder: Responder | null = null;
  #isBodyWanted = false;
  #isAdvancing = false;
  #discarded = 0;
  #unsentWhenDue = 0;

  constructor(socket: Socket, owner: InboundOwner, context: InboundContext) {
    this.socket = socket;
    this.#owner = owner;
    this.#context = context;
    this.dueAt = performance.now() + context.settings.headMs;
    context.deadlines.add(this);
    socket.on('data', this.#onData);
    socket.on('end', this.#onGone);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
  }

  /** Between two requests, or before the first, and all that was said is on its way. */
  get isIdle(): boolean {
    return this.#state === 'head' && this.#stash === null && this.socket.writableLength === 0;
  }

  /** Asks for the body, or for a pause; back-pressure reaches the client through the socket. */
  wantBody(isWanted: boolean): void {
    this.#isBodyWanted = isWanted;
    if (!isWanted) return;
    this.socket.resume();
    this.#advance();
  }

  /** False: wait for `onDrain`. */
  write(data: Buffer | string): boolean {
    return typeof data === 'string' ? this.socket.write(data, 'latin1') : this.socket.write(data);
  }

  /** The response is complete. Unless it keeps alive, the connection ends here. */
  endResponse(keepsAlive: boolean): void {
    this.#responder = null;
    const now = performance.now();
    if (!keepsAlive) {
      this.socket.end();
      this.#enter('linger', now + this.#context.settings.lingerMs);
    } else if (this.#state === 'answer') {
      this.#enter('head', now + this.#context.settings.keepAliveMs);
    } else {
      this.#discarded = 0;
      this.#enter('discard', now + this.#context.settings.lingerMs);
    }
    this.socket.resume();
    this.#advance();
  }

  /** Breaks off: the client must see that the response is not whole. */
  destroy(): void {
    this.#responder = null;
    this.socket.destroy();
  }

  /** Leaves the socket to a tunnel, with the bytes that came after the request. */
  detach(): { readonly socket: Socket; readonly rest: Buffer | null } {
    const rest = this.#stash;
    this.#stash = null;
    this.#responder = null;
    this.#enter('closed', Infinity);
    this.#context.deadlines.delete(this);
    this.socket.off('data', this.#onData);
    this.socket.off('end', this.#onGone);
    this.socket.off('drain', this.#onDrain);
    return { socket: this.socket, rest };
  }

  onDue(): void {
    if (this.#state === 'answer' || this.#state === 'body') return; // The responder keeps its own time.
    const unsent = this.socket.writableLength;
    // A slow reader that still takes in the end of its response is not cut off.
    if (unsent > 0 && unsent !== this.#unsentWhenDue) {
      this.#unsentWhenDue = unsent;
      this.dueAt = performance.now() + this.#context.settings.idleMs;
    } else this.destroy();
  }

  readonly #onData = (data: Buffer): void => {
    if (this.#state === 'linger') return;
    this.#stash = this.#stash === null ? data : Buffer.concat([this.#stash, data]);
    this.#advance();
  };

  readonly #onDrain = (): void => this.#responder?.onClientDrain();

  readonly #onGone = (): void => {
    const responder = this.#responder;
    this.destroy();
    responder?.onGone();
  };

  readonly #onClose = (): void => {
    const responder = this.#responder;
    this.#responder = null;
    this.#state = 'closed';
    this.#context.deadlines.delete(this);
    this.#owner.onClose(this);
    responder?.onGone();
  };

  /** Goes on with what is stashed for as long as anything can be done with it. */
  #advance(): void {
    if (this.#isAdvancing) return; // A responder that answers at once is inside the loop already.
    this.#isAdvancing = true;
    while (this.#stash !== null && this.#step(this.#stash));
    this.#isAdvancing = false;
    if (this.#stash !== null && this.#stash.length > STASH_BYTES_MAX && !this.#readsOn()) this.socket.pause();
  }

  /** Whether all that comes is used up at once. */
  #readsOn(): boolean {
    return this.#state === 'head' || (this.#state === 'body' && this.#isBodyWanted);
  }

  /** @returns whether to look again */
  #step(stash: Buffer): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead(stash);
      case 'body':
        return this.#isBodyWanted && this.#readBody(stash, (chunk) => this.#responder?.onBody(chunk));
      case 'discard':
        return this.#readBody(stash, (chunk) => this.#discard(chunk));
      case 'answer':
        return false;
      case 'linger':
      case 'closed':
        this.#stash = null;
    }
    return false;
  }

  #readHead(stash: Buffer): boolean {
    const parsed = this.#parser.parse(stash);
    if (parsed === null) {
      // The limit for a head runs from its first byte, not from each.
      this.dueAt = Math.min(this.dueAt, performance.now() + this.#context.settings.headMs);
      return false;
    }
    this.#parser = new RequestHeadParser();
    if (parsed.tag === 'rejected') {
      this.write(this.#owner.refuse(parsed));
      this.endResponse(false);
      return true;
    }
    this.#stash = parsed.end === stash.length ? null : stash.subarray(parsed.end);
    this.#body = scanBody(parsed.head.body);
    this.#isBodyWanted = false;
    this.#state = this.#body.isDone ? 'answer' : 'body';
    this.#responder = this.#owner.onRequest(this, parsed.head);
    // It may have answered before we knew it.
    if (!this.#isAnswering()) this.#responder = null;
    return true;
  }

  #isAnswering(): boolean {
    return this.#state === 'answer' || this.#state === 'body';
  }

  #readBody(stash: Buffer, use: (chunk: Buffer) => void): boolean {
    const body = this.#body;
    if (body === null) return false;
    const end = body.push(stash, 0);
    this.#stash = end === stash.length ? null : stash.subarray(end);
    if (body.error !== null) {
      this.#stash = null;
      if (this.#state === 'discard') this.destroy();
      else this.#responder?.onBadBody();
      return false;
    }
    if (end > 0) use(stash.subarray(0, end));
    if (body.isDone) this.#endBody();
    return true;
  }

  #endBody(): void {
    if (this.#state === 'body') {
      this.#state = 'answer';
      this.#responder?.onBodyEnd();
    } else if (this.#state === 'discard')
      this.#enter('head', performance.now() + this.#context.settings.keepAliveMs);
  }

  #discard(chunk: Buffer): void {
    this.#discarded += chunk.length;
    if (this.#discarded > DISCARD_BYTES_MAX) this.destroy();
  }

  #enter(state: State, dueAt: number): void {
    this.#state = state;
    this.dueAt = dueAt;
  }
}

function ignore(): void {
  // A broken connection closes, and `close` is what counts.
}
