import type { Socket } from 'node:net';
import { scanBody } from '../../src/routing/body-framing.ts';
import { type BodyScanner } from '../../src/routing/body-scanner.ts';
import { ResponseHeadParser } from '../../src/routing/head-parser.ts';
import type { Rejection } from '../../src/routing/http-syntax.ts';
import type { ResponseHead } from '../../src/routing/response-head.ts';

/** Who asked, and hears of the answer piece by piece. After `onEnd`, `onUpgrade` or `onBroken` nothing more comes. */
export interface UpstreamOwner {
  /** A 1xx head other than 101. */
  onInformation(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** Body bytes with their framing, or without when asked to take chunks apart. */
  onResponseBody(chunk: Buffer): void;
  /** All that came at once has been handed over. */
  onFlush(): void;
  /** @param isReusable the connection is in step and may carry another request */
  onEnd(isReusable: boolean): void;
  onUpgrade(head: ResponseHead, rest: Buffer): void;
  /** More of the request may be written. */
  onUpstreamDrain(): void;
  onBroken(how: 'closed' | 'interrupted' | 'malformed' | 'oversized'): void;
}

/** The asking side of one request on one connection: writes it, and reads one response strictly. */
export class Upstream {
  readonly socket: Socket;
  readonly #owner: UpstreamOwner;
  readonly #method: string;
  #parser: ResponseHeadParser;
  /** Bytes of a head that has not ended. */
  #pending: Buffer | null = null;
  #body: BodyScanner | null = null;
  #hasBytes = false;
  #isOpen = true;
  /** Take chunks apart: for a client that knows none. */
  dechunks = false;

  constructor(socket: Socket, method: string, owner: UpstreamOwner) {
    this.socket = socket;
    this.#owner = owner;
    this.#method = method;
    this.#parser = new ResponseHeadParser(method);
    socket.off('error', ignore);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
    socket.resume();
  }

  /** False: wait for `onDrain`. */
  write(data: Buffer | string): boolean {
    if (!this.#isOpen) return true;
    return typeof data === 'string' ? this.socket.write(data, 'latin1') : this.socket.write(data);
  }

  /** Gives the connection up; the owner hears nothing more. */
  destroy(): void {
    this.#detach();
    this.socket.destroy();
  }

  /** Stops listening and leaves the connection, in step, to another user. */
  release(): Socket {
    this.#detach();
    return this.socket;
  }

  readonly #onData = (data: Buffer): void => {
    this.#hasBytes = true;
    if (this.#body === null) this.#readHead(data);
    else this.#readBody(this.#body, data, 0);
    if (this.#isOpen) this.#owner.onFlush();
  };

  #readHead(data: Buffer): void {
    let buffer = this.#pending === null ? data : Buffer.concat([this.#pending, data]);
    this.#pending = null;
    for (;;) {
      const parsed = this.#parser.parse(buffer);
      if (parsed === null) {
        this.#pending = buffer;
        return;
      }
      if (parsed.tag === 'rejected') return this.#break(brokenBy(parsed));
      const { head, end } = parsed;
      buffer = buffer.subarray(end);
      if (head.status === 101) {
        this.#detach();
        return this.#owner.onUpgrade(head, buffer);
      }
      if (head.status >= 200) return this.#startBody(head, buffer);
      this.#owner.onInformation(head);
      if (!this.#isOpen) return;
      this.#parser = new ResponseHeadParser(this.#method);
    }
  }

  #startBody(head: ResponseHead, rest: Buffer): void {
    this.#body = scanBody(head.body);
    this.#owner.onHead(head);
    if (this.#isOpen && (rest.length > 0 || this.#body.isDone)) this.#readBody(this.#body, rest, 0);
  }

  #readBody(body: BodyScanner, data: Buffer, from: number): void {
    const end = this.dechunks
      ? body.push(data, from, (content) => this.#owner.onResponseBody(content))
      : body.push(data, from);
    if (!this.#isOpen) return;
    if (body.error !== null) return this.#break('malformed');
    if (!this.dechunks && end > from) this.#owner.onResponseBody(data.subarray(from, end));
    if (!this.#isOpen || !body.isDone) return;
    this.#detach();
    this.#owner.onFlush();
    // Bytes past the end answer no question: such a connection is out of step.
    this.#owner.onEnd(end === data.length && !this.socket.readableEnded);
  }

  readonly #onEnd = (): void => {
    if (this.#body?.endsWithConnection === true) {
      this.#detach();
      this.#owner.onEnd(false);
    } else this.#break(this.#hasBytes ? 'interrupted' : 'closed');
  };

  readonly #onError = (): void => this.#break(this.#hasBytes ? 'interrupted' : 'closed');
  readonly #onClose = (): void => this.#break(this.#hasBytes ? 'interrupted' : 'closed');
  readonly #onDrain = (): void => this.#owner.onUpstreamDrain();

  #break(how: 'closed' | 'interrupted' | 'malformed' | 'oversized'): void {
    if (!this.#isOpen) return;
    this.destroy();
    this.#owner.onBroken(how);
  }

  #detach(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { socket } = this;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClose);
    socket.off('drain', this.#onDrain);
    // Whoever takes the socket next listens to its errors; until then none may crash the process.
    socket.on('error', ignore);
  }
}

function brokenBy(rejection: Rejection): 'malformed' | 'oversized' {
  return rejection.status === 431 || rejection.status === 414 ? 'oversized' : 'malformed';
}

function ignore(): void {
  // The owner has been told, or has let go.
}
