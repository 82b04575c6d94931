import type { RequestHead } from '../../src/routing/request-head.ts';
import type { Inbound } from './inbound.ts';
import type { Plan } from './plan.ts';
import { ReplayBuffer } from './replay-buffer.ts';
import type { Upstream } from './upstream.ts';

/** Passes one request's body on to the dyno, and keeps its start as long as another dyno may have to get it. */
export class RequestRelay {
  readonly #inbound: Inbound;
  readonly #head: RequestHead;
  readonly #plan: Plan;
  readonly #replay: ReplayBuffer;
  #upstream: Upstream | null = null;
  #hasContinued = false;
  /** The dyno is known to have taken the connection; of one behind another peer that is heard later. */
  #isAccepted = true;
  #isBlocked = false;
  /** The whole request has come. */
  isDone: boolean;

  constructor(inbound: Inbound, head: RequestHead, plan: Plan, replayBytesMax: number) {
    this.#inbound = inbound;
    this.#head = head;
    this.#plan = plan;
    this.#replay = new ReplayBuffer(replayBytesMax);
    this.isDone = head.body === 0;
  }

  /** All that came so far can be sent once more. */
  get canReplay(): boolean {
    return !this.#replay.isForgotten;
  }

  /** Whether the client is the one that is waited for. */
  get isWaiting(): boolean {
    return !this.isDone && !this.#isBlocked;
  }

  /** Sends the head, what is kept of the body, then the rest as it comes. */
  open(upstream: Upstream, headText: string, isLocal: boolean): void {
    this.#upstream = upstream;
    this.#isAccepted = isLocal;
    this.#isBlocked = false;
    upstream.write(headText);
    for (const chunk of this.#replay.chunks) upstream.write(chunk);
    if (this.isDone) return;
    // Between routers it says that the dyno has been reached: only from here on may bytes be lost.
    const isAwaited = this.#plan.isRelay || this.#head.expectsContinue;
    if (isAwaited && !this.#hasContinued) this.#inbound.write('HTTP/1.1 100 Continue\r\n\r\n');
    this.#hasContinued = true;
    this.#ask();
  }

  /** Takes no more of the body until the next `open`. */
  close(): void {
    this.#upstream = null;
    if (!this.isDone) this.#inbound.wantBody(false);
  }

  push(chunk: Buffer): void {
    this.#replay.push(chunk);
    if (this.#isAccepted && (!this.#plan.mayRepeat || this.#replay.isFull)) this.#replay.forget();
    if (this.#upstream?.write(chunk) === false) this.#isBlocked = true;
    if (this.#isHeldBack) this.#inbound.wantBody(false);
  }

  accept(): void {
    this.#isAccepted = true;
    if (!this.#plan.mayRepeat) this.#replay.forget();
    this.#ask();
  }

  /** A response has begun: nothing will be repeated. */
  forget(): void {
    this.#isAccepted = true;
    this.#replay.forget();
    this.#ask();
  }

  onDrain(): void {
    this.#isBlocked = false;
    this.#ask();
  }

  /** Until the far peer has said that its dyno took the connection, no more is sent than can be sent again. */
  get #isHeldBack(): boolean {
    return this.#isBlocked || (!this.#isAccepted && this.#replay.isFull);
  }

  #ask(): void {
    if (!this.isDone && this.#upstream !== null && !this.#isHeldBack) this.#inbound.wantBody(true);
  }
}
