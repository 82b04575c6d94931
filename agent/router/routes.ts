import type { AppId, DynoId, PeerId } from '../../src/ids.ts';
import type { RouterView } from '../../src/routing/decide.ts';
import type { RouteTable, RouteTarget } from '../../src/routing/table.ts';
import { Ejections } from './ejections.ts';
import type { Seat } from './seat.ts';

/** What requests wait for: an app, or connections: an internal port. */
export type Awaited = AppId | `port ${number}`;

/**
 * What this router process knows: the agent's latest table, and what it saw itself: requests in flight per dyno, who
 * refused a moment ago, and which requests wait for any of that to change.
 */
export class Routes {
  #table: RouteTable | null = null;
  #members: ReadonlySet<string> = new Set();
  readonly #inFlight = new Map<DynoId, number>();
  readonly #ejected = new Ejections<DynoId | PeerId>();
  readonly #held = new Map<Awaited, Set<() => void>>();
  readonly #drains = new Map<DynoId, (() => void)[]>();
  /** Drained for good: their ids never come back, so that a late request is sent elsewhere. */
  readonly #closed = new Set<DynoId>();
  readonly view: RouterView;
  readonly #watchers = new Set<() => void>();

  constructor(inFlightMax: number) {
    this.view = {
      inFlight: (target) => this.#inFlight.get(target.dyno) ?? 0,
      isEjected: (target) => this.#isEjected(target),
      inFlightMax,
    };
  }

  /** Null until the agent has sent the first one. */
  get table(): RouteTable | null {
    return this.#table;
  }

  setTable(table: RouteTable): void {
    this.#table = table;
    this.#members = new Set(table.members);
    for (const dyno of this.#closed) {
      if (!Object.hasOwn(table.localDynos, dyno)) this.#closed.delete(dyno);
    }
    for (const onTable of this.#watchers.values().toArray()) onTable();
    this.#wakeEverybody();
  }

  /** Calls `onTable` after each new table. Returns how to stop. */
  watch(onTable: () => void): () => void {
    this.#watchers.add(onTable);
    return () => this.#watchers.delete(onTable);
  }

  isMember(peer: PeerId): boolean {
    return this.#members.has(peer);
  }

  /** A dyno of this peer that another peer asks for; null when it is not here, or takes nothing more. */
  localTarget(dyno: DynoId): RouteTarget | null {
    const table = this.#table;
    if (table === null || this.#closed.has(dyno) || !Object.hasOwn(table.localDynos, dyno)) return null;
    const address = table.localDynos[dyno];
    return address === undefined ? null : { ...address, dyno, name: dyno, peer: table.self, local: true };
  }

  /** A place for one request. @param app null: another peer's router asks for exactly this dyno */
  seat(target: RouteTarget, app: AppId | null): Seat {
    const { dyno } = target;
    this.#inFlight.set(dyno, (this.#inFlight.get(dyno) ?? 0) + 1);
    return {
      isCurrent: () => app === null || isAmong(this.#table?.apps[app]?.up, dyno),
      leave: () => this.#release(dyno, app),
    };
  }

  eject(key: DynoId | PeerId, ms: number): void {
    this.#ejected.add(key, ms, () => this.#wakeEverybody());
  }

  heldCount(what: Awaited): number {
    return this.#held.get(what)?.size ?? 0;
  }

  /** Calls `wake` once, when something has changed for this app or port. Returns how to stop waiting. */
  hold(what: Awaited, wake: () => void): () => void {
    let waiting = this.#held.get(what);
    if (waiting === undefined) this.#held.set(what, (waiting = new Set()));
    waiting.add(wake);
    return () => {
      waiting.delete(wake);
      if (waiting.size === 0 && this.#held.get(what) === waiting) this.#held.delete(what);
    };
  }

  /** Calls `done` when no request is left for a local dyno, and lets none begin after that. */
  whenDrained(dyno: DynoId, done: () => void): void {
    this.#drains.set(dyno, [...(this.#drains.get(dyno) ?? []), done]);
    if (!this.#inFlight.has(dyno)) this.#settleDrain(dyno);
  }

  #release(dyno: DynoId, app: AppId | null): void {
    const left = (this.#inFlight.get(dyno) ?? 1) - 1;
    if (left > 0) this.#inFlight.set(dyno, left);
    else {
      this.#inFlight.delete(dyno);
      this.#settleDrain(dyno);
    }
    if (app !== null) this.#wakeOne(app);
  }

  #settleDrain(dyno: DynoId): void {
    const waiting = this.#drains.get(dyno);
    if (waiting === undefined) return;
    this.#drains.delete(dyno);
    if (this.#table !== null && Object.hasOwn(this.#table.localDynos, dyno)) this.#closed.add(dyno);
    for (const done of waiting) done();
  }

  #isEjected(target: RouteTarget): boolean {
    const { dyno, peer, local } = target;
    return this.#closed.has(dyno) || this.#ejected.has(dyno) || (!local && this.#ejected.has(peer));
  }

  /** Once each: who is woken too early holds again, which must not meet this round. */
  #wakeEverybody(): void {
    for (const what of this.#held.keys().toArray()) this.wake(what);
  }

  /** Something has changed for all that wait for this. */
  wake(what: Awaited): void {
    const waiting = this.#held.get(what);
    if (waiting === undefined) return;
    this.#held.delete(what);
    for (const wake of waiting) wake();
  }

  #wakeOne(app: AppId): void {
    const waiting = this.#held.get(app);
    const first = waiting?.values().next().value;
    if (waiting === undefined || first === undefined) return;
    waiting.delete(first);
    if (waiting.size === 0) this.#held.delete(app);
    first();
  }
}

export function isAmong(up: readonly RouteTarget[] | undefined, dyno: DynoId): boolean {
  return up?.some((target) => target.dyno === dyno) ?? false;
}
