import type { Socket } from 'node:net';
import type { RouteTarget } from '../../src/routing/table.ts';
import { connectDyno } from './dyno-connect.ts';
import type { Failure } from './failures.ts';
import type { RouterCore } from './router-core.ts';
import type { Seat } from './seat.ts';

/** What becomes of an attempt; it may fail after it opened, when the peer that runs the dyno vanishes. */
export interface AttemptOwner {
  onOpen(attempt: Attempt, socket: Socket): void;
  onFailure(attempt: Attempt, failure: Failure): void;
}

/** One try of one request at one dyno: holds a place there, and gets the connection, straight or through its peer. */
export class Attempt {
  readonly target: RouteTarget;
  /** The connection has carried requests before, and may have died unseen. */
  isReused = false;
  connectMs: number | null = null;
  /** Mono ms when the request could be sent. */
  sentAt: number | null = null;
  readonly #core: RouterCore;
  readonly #owner: AttemptOwner;
  readonly #seat: Seat;
  readonly #startedAt = performance.now();
  #isEnded = false;
  #stopConnecting: () => void = () => {};
  #stopWatching: () => void = () => {};

  constructor(core: RouterCore, target: RouteTarget, seat: Seat, owner: AttemptOwner) {
    this.#core = core;
    this.target = target;
    this.#seat = seat;
    this.#owner = owner;
  }

  start(): void {
    const { links, routes, settings } = this.#core;
    if (this.target.local) {
      this.#stopConnecting = connectDyno(this.target, settings.connectMs, (result) =>
        typeof result === 'string' ? this.#fail(result) : this.#open(result, false),
      );
      return;
    }
    this.#stopWatching = routes.watch(() => this.#onTable());
    const stop = links.acquire(this.target, (result) =>
      typeof result === 'string' ? this.#fail(result) : this.#open(result.socket, result.isReused),
    );
    if (this.sentAt === null && !this.#isEnded) this.#stopConnecting = stop;
  }

  /** Gives the place at the dyno back. The connection, once open, is its owner's. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopWatching();
    this.#stopConnecting();
    this.#seat.leave();
  }

  #open(socket: Socket, isReused: boolean): void {
    this.sentAt = performance.now();
    this.connectMs = this.sentAt - this.#startedAt;
    this.isReused = isReused;
    this.#stopConnecting = () => {};
    this.#owner.onOpen(this, socket);
  }

  #fail(failure: Failure): void {
    if (!this.#isEnded) this.#owner.onFailure(this, failure);
  }

  /**
   * A dyno of another peer that left the table is draining, or its peer is dead and a cut network tells nobody. Then
   * waiting for the connection or the response would use up the client's time: find out now.
   */
  #onTable(): void {
    if (this.#seat.isCurrent()) return;
    if (this.sentAt === null) {
      this.isReused = true; // Says nothing of the peer: the table has said it all.
      return this.#fail('peer-lost');
    }
    this.#stopWatching();
    this.#core.links.check(this.target, (isThere) => {
      if (!isThere) this.#fail('peer-lost');
    });
  }
}
