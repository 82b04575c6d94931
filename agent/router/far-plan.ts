import type { DynoId } from '../../src/ids.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import { DYNO_HEADER, relayRequest, valueOf } from '../../src/routing/rewrite.ts';
import type { RouteTarget } from '../../src/routing/table.ts';
import type { Failure } from './failures.ts';
import type { Plan, Refusal, Step } from './plan.ts';
import { farReply } from './reply.ts';
import type { RouterCore } from './router-core.ts';

/** A request that another peer's router relays: for one dyno of this peer, or for nobody. */
export class FarPlan implements Plan {
  readonly isRelay = true;
  readonly app = null;
  readonly mayRepeat = false;
  readonly firstByteMs: number;
  readonly #core: RouterCore;
  readonly #head: RequestHead;
  #failure: Failure | null = null;

  constructor(core: RouterCore, head: RequestHead) {
    this.#core = core;
    this.#head = head;
    // The near router keeps the time, and hangs up when it is over; this is for one that forgets to.
    this.firstByteMs = core.settings.firstByteMs * 2;
  }

  next(): Step {
    if (this.#failure !== null) return { tag: 'refuse', refusal: this.#failure };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any text may be looked up
    const dyno = (valueOf(this.#head.headers, DYNO_HEADER) ?? '') as DynoId;
    const target = this.#core.routes.localTarget(dyno);
    return target === null ? { tag: 'refuse', refusal: 'no-such-dyno' } : { tag: 'try', target };
  }

  requestHead(_target: RouteTarget, _connectMs: number, closes: boolean): string {
    return relayRequest(this.#head, closes);
  }

  onFailure(_target: RouteTarget, failure: Failure): void {
    this.#failure = failure;
  }

  refusal(refusal: Refusal, keepsAlive: boolean): string | null {
    const failure = this.#failure ?? (refusal === 'no-such-dyno' ? refusal : null);
    return failure === null ? null : farReply(failure, keepsAlive);
  }

  onDone(): void {
    // The near router writes the log line.
  }
}
