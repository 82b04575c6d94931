import type { RequestHead } from '../../src/routing/request-head.ts';
import type { ResponseHead } from '../../src/routing/response-head.ts';
import { forwardResponse } from '../../src/routing/rewrite.ts';
import type { Inbound } from './inbound.ts';

/** Body bytes up to this are copied behind the head, so that a small response is one write. */
const JOINED_BYTES_MAX = 16 * 1024;

/** Passes one response on to the client. */
export class ResponseRelay {
  readonly #inbound: Inbound;
  readonly #request: RequestHead;
  readonly #isRelay: boolean;
  #unsentHead: string | null = null;
  /** Of the dyno; null before it came. */
  status: number | null = null;
  /** Body bytes passed on. */
  bytes = 0;
  keepsAlive = false;
  /** The client does not read: wait for its drain. */
  isBlocked = false;

  constructor(inbound: Inbound, request: RequestHead, isRelay: boolean) {
    this.#inbound = inbound;
    this.#request = request;
    this.#isRelay = isRelay;
  }

  /** Whether the chunks of this response must be taken apart: HTTP/1.0 knows none, and reads until we close. */
  mustDechunk(head: ResponseHead): boolean {
    return this.#request.minor === 0 && head.body === 'chunked';
  }

  start(head: ResponseHead, mayKeepAlive: boolean): void {
    const body = this.mustDechunk(head) ? 'close' : head.body;
    this.status = head.status;
    this.keepsAlive = mayKeepAlive && keepsAlive(this.#request) && body !== 'close';
    this.#unsentHead = forwardResponse(head, this.#request.method, this.keepsAlive, body, this.#isRelay);
  }

  /** A 102 or 103: for those who know them. */
  inform(head: ResponseHead): void {
    if (this.#request.minor === 0) return;
    this.#inbound.write(forwardResponse(head, this.#request.method, true, 0, this.#isRelay));
  }

  /** The head of a 101, and what the dyno said right after it. */
  switchProtocol(head: ResponseHead): void {
    this.status = head.status;
    this.#inbound.write(forwardResponse(head, this.#request.method, false, 0, this.#isRelay));
  }

  body(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.#unsentHead !== null && chunk.length <= JOINED_BYTES_MAX) {
      const head = this.#unsentHead;
      this.#unsentHead = null;
      const joined = Buffer.allocUnsafe(head.length + chunk.length);
      joined.write(head, 'latin1');
      chunk.copy(joined, head.length);
      this.#write(joined);
      return;
    }
    this.flush();
    this.#write(chunk);
  }

  /** Sends the head now, body or not. */
  flush(): void {
    if (this.#unsentHead === null) return;
    const head = this.#unsentHead;
    this.#unsentHead = null;
    this.#write(head);
  }

  #write(data: Buffer | string): void {
    if (!this.#inbound.write(data)) this.isBlocked = true;
  }
}

/** Whether the client can send another request on its connection. */
export function keepsAlive(request: RequestHead): boolean {
  return request.minor === 1 && !request.connection.includes('close');
}
