import { randomUUID } from 'node:crypto';
import type { AppId, DynoId } from '../../src/ids.ts';
import { CODES, type HCode } from '../../src/routing/codes.ts';
import { decide } from '../../src/routing/decide.ts';
import { routerLogLine } from '../../src/routing/log-line.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import { forwardedFor, forwardRequest, requestIdOf } from '../../src/routing/rewrite.ts';
import type { RouteTarget } from '../../src/routing/table.ts';
import { CODE_OF_FAILURE, codeOfRefusal, type Failure } from './failures.ts';
import { learn } from './learn.ts';
import type { Outcome, Plan, Refusal, Step } from './plan.ts';
import { codeReply, noSuchAppReply } from './reply.ts';
import type { RouterCore } from './router-core.ts';

/** Where a client's connection comes from and arrives. */
export type ClientInfo = {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'http' | 'https';
  readonly tlsVersion: string | null;
};

/** RFC 9110 9.2.2: doing it twice is like doing it once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** A client's request: any dyno of the app will do, here or on another peer, and another one when that fails. */
export class NearPlan implements Plan {
  readonly isRelay = false;
  readonly app: AppId;
  readonly firstByteMs: number;
  readonly #core: RouterCore;
  readonly #client: ClientInfo;
  readonly #head: RequestHead;
  readonly #startMs = Date.now();
  readonly #startMono = performance.now();
  readonly #requestId: string;
  readonly #avoid = new Set<DynoId>();
  #attempts = 0;
  #lastCode: HCode | null = null;

  constructor(core: RouterCore, client: ClientInfo, head: RequestHead, app: AppId) {
    this.#core = core;
    this.#client = client;
    this.#head = head;
    this.app = app;
    this.firstByteMs = core.settings.firstByteMs;
    this.#requestId = requestIdOf(head, randomUUID);
  }

  get mayRepeat(): boolean {
    return IDEMPOTENT.has(this.#head.method) && this.#avoid.size < this.#core.settings.closedMax;
  }

  next(isOverdue: boolean): Step {
    const { routes, settings } = this.#core;
    const app = routes.table?.apps[this.app];
    if (app === undefined) return { tag: 'refuse', refusal: 'no-such-app' };
    const progress = {
      attempts: this.#attempts,
      attemptsMax: settings.attemptsMax,
      avoid: this.#avoid,
      lastCode: this.#lastCode,
      isOverdue,
    };
    const decision = decide(app, routes.view, progress, [Math.random(), Math.random()]);
    if (decision.tag === 'fail') return { tag: 'refuse', refusal: decision.code };
    if (decision.tag === 'hold' && routes.heldCount(this.app) >= settings.heldPerAppMax) {
      return { tag: 'refuse', refusal: 'H11' };
    }
    return decision;
  }

  requestHead(target: RouteTarget, connectMs: number, closes: boolean): string {
    return forwardRequest(this.#head, {
      clientAddress: this.#client.address,
      protocol: this.#client.protocol,
      port: this.#client.port,
      requestId: this.#requestId,
      startMs: this.#startMs,
      connectMs,
      routeMs: performance.now() - this.#startMono,
      close: closes && target.local,
      via: target.local ? null : target.dyno,
    });
  }

  onFailure(target: RouteTarget, failure: Failure, isReused: boolean): void {
    this.#lastCode = CODE_OF_FAILURE[failure];
    if (failure === 'refused' || failure === 'timeout') this.#attempts += 1;
    if (failure === 'closed') this.#avoid.add(target.dyno);
    learn(this.#core, target, failure, isReused);
  }

  refusal(refusal: Refusal, keepsAlive: boolean): string {
    const { method } = this.#head;
    if (refusal === 'no-such-app') return noSuchAppReply(method, keepsAlive);
    return codeReply(codeOfRefusal(refusal), method, keepsAlive);
  }

  onDone(outcome: Outcome): void {
    const { code, target, connectMs, serviceMs, bytes, status } = outcome;
    const head = this.#head;
    const text = routerLogLine({
      code,
      method: head.method,
      path: head.target,
      host: head.host,
      requestId: this.#requestId,
      fwd: forwardedFor(head, this.#client.address),
      dyno: target?.name ?? null,
      connectMs,
      serviceMs,
      status: code === null ? (status ?? 0) : CODES[code].status,
      bytes,
      protocol: this.#client.protocol,
      tlsVersion: this.#client.tlsVersion,
    });
    this.#core.log({ app: this.app, timeUs: Date.now() * 1000, text });
  }
}
