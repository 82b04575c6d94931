import type { Socket } from 'node:net';
import type { HCode } from '../../src/routing/codes.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import type { ResponseHead } from '../../src/routing/response-head.ts';
import { ERROR_HEADER, valueOf } from '../../src/routing/rewrite.ts';
import type { RouteTarget } from '../../src/routing/table.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { Timed } from './deadlines.ts';
import { codeOfRefusal, isRepeatable, parseFarFailure, type Failure } from './failures.ts';
import type { Inbound, Responder } from './inbound.ts';
import type { Plan, Refusal } from './plan.ts';
import { RequestRelay } from './request-relay.ts';
import { keepsAlive, ResponseRelay } from './response-relay.ts';
import type { RouterCore } from './router-core.ts';
import { Tunnel } from './tunnel.ts';
import { Upstream, type UpstreamOwner } from './upstream.ts';

/** `choosing`: held, or about to try; `awaiting`: the request goes out; `responding`: the response comes in. */
type Phase = 'choosing' | 'connecting' | 'awaiting' | 'responding' | 'tunnel' | 'done';

/**
 * One request and its response: streams both ways at once, keeps Heroku's time limits, and asks its plan for another
 * dyno while nothing of a response has come and repeating is safe.
 */
export class Exchange implements Responder, UpstreamOwner, AttemptOwner, Timed {
  dueAt = Infinity;
  readonly #core: RouterCore;
  readonly #inbound: Inbound;
  readonly #head: RequestHead;
  readonly #plan: Plan;
  readonly #request: RequestRelay;
  readonly #response: ResponseRelay;
  readonly #startedAt = performance.now();
  #phase: Phase = 'choosing';
  #attempt: Attempt | null = null;
  #upstream: Upstream | null = null;
  #stopHolding: () => void = () => {};
  /** The dyno or peer will take another request on its connection. */
  #leavesOpen = false;

  constructor(core: RouterCore, inbound: Inbound, head: RequestHead, plan: Plan) {
    this.#core = core;
    this.#inbound = inbound;
    this.#head = head;
    this.#plan = plan;
    this.#request = new RequestRelay(inbound, head, plan, core.settings.replayBytesMax);
    this.#response = new ResponseRelay(inbound, head, plan.isRelay);
    core.deadlines.add(this);
    this.#next(false);
  }

  // ---- choosing a dyno and connecting

  #next(isOverdue: boolean): void {
    this.#phase = 'choosing';
    this.#request.close();
    const step = this.#plan.next(isOverdue);
    if (step.tag === 'refuse') return this.#refuse(step.refusal);
    if (step.tag === 'try') return this.#try(step.target);
    this.dueAt = this.#startedAt + this.#core.settings.holdMs;
    if (this.#plan.app === null) return;
    this.#stopHolding = this.#core.routes.hold(this.#plan.app, () => this.#next(false));
  }

  #try(target: RouteTarget): void {
    this.#phase = 'connecting';
    this.dueAt = Infinity; // Connecting has its own limit.
    this.#attempt = new Attempt(this.#core, target, this.#core.routes.seat(target, this.#plan.app), this);
    this.#attempt.start();
  }

  onOpen(attempt: Attempt, socket: Socket): void {
    const { target, connectMs } = attempt;
    // With a body under way we close last: a dyno that closed first would reset the connection under its early answer.
    const headText = this.#plan.requestHead(target, connectMs ?? 0, this.#head.body === 0);
    this.#phase = 'awaiting';
    this.#upstream = new Upstream(socket, this.#head.method, this);
    this.#request.open(this.#upstream, headText, target.local);
    this.#touch();
  }

  onFailure(_attempt: Attempt, failure: Failure): void {
    this.#fail(failure);
  }

  // ---- the request

  onBody(chunk: Buffer): void {
    this.#request.push(chunk);
    this.#touch();
  }

  onBodyEnd(): void {
    this.#request.isDone = true;
    this.#touch();
  }

  onBadBody(): void {
    if (this.#phase === 'responding') this.#break('H26');
    else this.#refuse('H26');
  }

  onUpstreamDrain(): void {
    this.#request.onDrain();
    this.#touch();
  }

  onGone(): void {
    if (this.#phase !== 'done' && this.#phase !== 'tunnel') this.#finish('H27');
  }

  // ---- the response

  onInformation(head: ResponseHead): void {
    if (head.status === 100) this.#request.accept();
    else this.#response.inform(head);
  }

  onHead(head: ResponseHead): void {
    const failure = this.#attempt?.target.local === false ? valueOf(head.headers, ERROR_HEADER) : null;
    if (failure !== null) return this.#fail(parseFarFailure(failure));
    this.#phase = 'responding';
    this.#leavesOpen = head.minor === 1 && !head.connection.includes('close');
    if (this.#upstream !== null) this.#upstream.dechunks = this.#response.mustDechunk(head);
    this.#response.start(head, !this.#core.isClosing);
    this.#request.forget();
    this.#touch();
  }

  onResponseBody(chunk: Buffer): void {
    this.#response.body(chunk);
    this.#touch();
    if (this.#response.isBlocked) this.#upstream?.socket.pause();
  }

  onFlush(): void {
    this.#response.flush();
  }

  onClientDrain(): void {
    this.#response.isBlocked = false;
    this.#touch();
    this.#upstream?.socket.resume();
  }

  onEnd(isInStep: boolean): void {
    const { target } = this.#attempt ?? {};
    const upstream = this.#upstream;
    this.#upstream = null;
    if (
      upstream !== null &&
      target?.local === false &&
      isInStep &&
      this.#leavesOpen &&
      this.#request.isDone
    ) {
      this.#core.links.giveBack(target, upstream.release());
    } else upstream?.destroy();
    this.#finish(null);
    this.#inbound.endResponse(this.#response.keepsAlive);
  }

  onUpgrade(head: ResponseHead, rest: Buffer): void {
    const dyno = this.#upstream?.release();
    if (dyno === undefined || this.#head.upgrade === null) return this.#fail('malformed');
    this.#phase = 'tunnel';
    this.#core.deadlines.delete(this);
    this.#response.switchProtocol(head);
    const client = this.#inbound.detach();
    if (client.rest !== null) dyno.write(client.rest);
    if (rest.length > 0) client.socket.write(rest);
    const tunnel = new Tunnel(this.#core, client.socket, dyno, (isIdle) => {
      this.#response.bytes = tunnel.bytes + rest.length;
      this.#finish(isIdle ? 'H15' : null);
    });
  }

  onBroken(how: 'closed' | 'interrupted' | 'malformed' | 'oversized'): void {
    const isPeerLost = how === 'closed' && this.#attempt?.target.local === false;
    this.#fail(isPeerLost ? 'peer-lost' : how);
  }

  // ---- time

  /** Something moved: the limit begins anew. */
  #touch(): void {
    const { settings } = this.#core;
    if (this.#phase === 'awaiting' && this.#request.isDone) {
      this.dueAt = performance.now() + this.#plan.firstByteMs;
    } else if (this.#phase === 'awaiting' || this.#phase === 'responding') {
      this.dueAt = performance.now() + settings.idleMs;
    }
  }

  onDue(): void {
    switch (this.#phase) {
      case 'choosing':
        this.#stopHolding();
        return this.#next(true);
      case 'awaiting':
        return this.#refuse(this.#request.isWaiting ? 'H28' : 'H12');
      case 'responding':
        return this.#break(this.#response.isBlocked ? 'H28' : 'H15');
      case 'connecting':
      case 'tunnel':
      case 'done':
    }
  }

  // ---- the end

  /** The attempt came to nothing: another one, or the end. */
  #fail(failure: Failure): void {
    if (this.#phase === 'responding') return this.#break(failure === 'malformed' ? 'H17' : 'H18');
    const attempt = this.#attempt;
    if (this.#phase === 'done' || attempt === null) return;
    this.#plan.onFailure(attempt.target, failure, attempt.isReused);
    this.#dropUpstream();
    attempt.end();
    if (this.#request.canReplay && isRepeatable(failure, this.#plan.mayRepeat)) this.#next(false);
    else this.#refuse(failure);
  }

  /** Answers in the dyno's place. */
  #refuse(refusal: Refusal): void {
    const isAlive = keepsAlive(this.#head) && this.#request.isDone && !this.#core.isClosing;
    const reply = this.#plan.refusal(refusal, isAlive);
    this.#finish(refusal === 'no-such-app' ? null : codeOfRefusal(refusal));
    if (reply === null) return this.#inbound.destroy();
    this.#inbound.write(reply);
    this.#inbound.endResponse(isAlive);
  }

  /** The response has begun: the client can only be shown that it is not whole. */
  #break(code: HCode): void {
    this.#finish(code);
    this.#inbound.destroy();
  }

  #finish(code: HCode | null): void {
    this.#phase = 'done';
    this.#core.deadlines.delete(this);
    this.#stopHolding();
    this.#dropUpstream();
    const attempt = this.#attempt;
    attempt?.end();
    this.#plan.onDone({
      code,
      target: attempt?.target ?? null,
      status: this.#response.status,
      connectMs: attempt?.connectMs ?? null,
      serviceMs: attempt?.sentAt == null ? null : performance.now() - attempt.sentAt,
      bytes: this.#response.bytes,
    });
  }

  #dropUpstream(): void {
    this.#upstream?.destroy();
    this.#upstream = null;
  }
}
