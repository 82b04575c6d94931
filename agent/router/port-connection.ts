import type { Socket } from 'node:net';
import { decidePort } from '../../src/routing/decide-port.ts';
import type { RouteTarget } from '../../src/routing/table.ts';
import { askForPort } from './ask-for-port.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { Timed } from './deadlines.ts';
import type { Failure } from './failures.ts';
import { learn } from './learn.ts';
import type { Connection, RouterCore } from './router-core.ts';
import { cut, splice } from './splice.ts';

/** An idle connection stays for as long as both ends are there: the kernel asks after this much silence. */
export const PROBE_AFTER_MS = 30_000;

/** Who hears of a connection to an internal port. */
export interface PortOwner {
  /** It came to nothing. */
  onFailure(desc: string): void;
  onClose(): void;
}

/**
 * One connection to an internal port: waits for a dyno if need be, tries one after another, and joins client and dyno.
 * Not a byte of the client's is read before that, so that any dyno may get all of them.
 */
export class PortConnection implements AttemptOwner, Connection, Timed {
  readonly dueAt: number;
  readonly #core: RouterCore;
  readonly #number: number;
  readonly #client: Socket;
  readonly #owner: PortOwner;
  #attempt: Attempt | null = null;
  #attempts = 0;
  #isOverdue = false;
  /** Once it is joined. */
  #dyno: Socket | null = null;
  #isEnded = false;
  #stopWaiting: () => void = () => {};

  /** @param client paused */
  constructor(core: RouterCore, number: number, client: Socket, owner: PortOwner) {
    this.#core = core;
    this.#number = number;
    this.#client = client;
    this.#owner = owner;
    this.dueAt = performance.now() + core.settings.portHoldMs;
    core.deadlines.add(this);
    // `error` is always followed by `close`.
    client.on('error', () => {});
    client.once('close', this.#onGone);
  }

  get isIdle(): boolean {
    return this.#attempt === null;
  }

  destroy(): void {
    cut(this.#client);
    if (this.#dyno === null) this.#end();
    else cut(this.#dyno);
  }

  /** Asks for a dyno, at first and whenever something has changed. */
  next(): void {
    const { ports, routes, settings } = this.#core;
    const { attemptsMax, heldPerPortMax } = settings;
    const progress = { attempts: this.#attempts, attemptsMax, isOverdue: this.#isOverdue };
    const port = ports.get(this.#number);
    const decision = decidePort(port, ports.view, progress, [Math.random(), Math.random()]);
    if (decision.tag === 'fail') return this.#fail(decision.desc);
    if (decision.tag === 'try') return this.#try(decision.target);
    const what = `port ${this.#number}` as const;
    if (routes.heldCount(what) >= heldPerPortMax) return this.#fail('Too many connections wait');
    this.#stopWaiting = routes.hold(what, () => this.next());
  }

  /** It took as long as one may wait: there is one more try, but no more waiting. */
  onDue(): void {
    this.#core.deadlines.delete(this);
    this.#isOverdue = true;
    if (this.#attempt !== null) return; // Connecting has its own limit.
    this.#stopWaiting();
    this.next();
  }

  #try(target: RouteTarget): void {
    this.#attempt = new Attempt(this.#core, target, this.#core.ports.seat(target, this.#number), this);
    this.#attempt.start();
  }

  onOpen({ target }: Attempt, socket: Socket): void {
    if (target.local) return this.#join(socket);
    const request = { number: this.#number, dyno: target.dyno };
    // The far router has as long for the dyno as we had for the router.
    this.#stopWaiting = askForPort(socket, request, 2 * this.#core.settings.connectMs, (result) => {
      if (typeof result === 'string') return this.#onFailure(result);
      if (result.length > 0) this.#client.write(result);
      this.#join(socket);
    });
  }

  onFailure(_attempt: Attempt, failure: Failure): void {
    // The dyno's peer is gone, and its end of the connection with it.
    if (this.#dyno !== null) this.destroy();
    else this.#onFailure(failure);
  }

  #onFailure(failure: Failure): void {
    const attempt = this.#attempt;
    if (attempt === null || this.#isEnded) return;
    const { target, isReused } = attempt;
    this.#attempt = null;
    this.#stopWaiting();
    attempt.end();
    // What the far router makes of this port says nothing of the dyno over HTTP.
    if (failure === 'no-such-dyno' || failure === 'malformed') this.#avoid(target);
    else learn(this.#core, target, failure, isReused);
    if (!isReused) this.#attempts += 1;
    this.next();
  }

  #avoid({ dyno }: RouteTarget): void {
    const { ports, settings } = this.#core;
    ports.avoid({ number: this.#number, dyno }, settings.ejectMs);
  }

  #join(dyno: Socket): void {
    this.#dyno = dyno;
    this.#core.deadlines.delete(this);
    this.#stopWaiting = () => {};
    // From here on what one side has still to say outlives the other side.
    this.#client.off('close', this.#onGone);
    for (const socket of [this.#client, dyno]) socket.setKeepAlive(true, PROBE_AFTER_MS);
    splice(this.#client, dyno, { onEnd: () => this.#end() });
  }

  readonly #onGone = (): void => this.#end();

  #fail(desc: string): void {
    this.#owner.onFailure(desc);
    this.destroy();
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#core.deadlines.delete(this);
    this.#stopWaiting();
    this.#attempt?.end();
    this.#owner.onClose();
  }
}
