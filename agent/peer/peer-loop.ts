import type { Logger } from 'pino';
import type { PeerEffect } from '../../src/peer/effects.ts';
import type { PeerEvent } from '../../src/peer/events.ts';
import { nextWake, stepPeer } from '../../src/peer/machine.ts';
import type { PeerState } from '../../src/peer/state.ts';
import type { Step } from '../../src/step.ts';
import { now } from './clock.ts';

/** Timers that fire this late mean that the event loop stalled, and that our own judgement of others is poor. */
const LAG_MS = 1_000;
const STORE_RETRY_MS = 500;

/** Carries out effects. `persist` and `sendOps` are waited for; the others only hand work to their owners. */
export interface Performer {
  persist(effect: PeerEffect & { tag: 'persist' }): Promise<void>;
  sendOps(effect: PeerEffect & { tag: 'sendOps' }): Promise<void>;
  perform(effect: Exclude<PeerEffect, { tag: 'persist' | 'sendOps' }>): void;
}

/**
 * The whole shell around the machine: one event at a time goes in, its effects are carried out in order. An effect
 * that depends on something durable waits in a queue behind it; what depends on nothing overtakes.
 */
export class PeerLoop {
  #state: PeerState;
  readonly #performer: Performer;
  readonly #log: Logger;
  #ordered: PeerEffect[] = [];
  #isDraining = false;
  #timer: NodeJS.Timeout | null = null;
  #wakeAt = Infinity;
  #isClosed = false;
  /** Why the store refuses to write, while it does. */
  #storeError: Error | null = null;
  readonly #watchers = new Set<() => void>();

  constructor(first: Step<PeerState, PeerEffect>, performer: Performer, log: Logger) {
    this.#state = first.state;
    this.#performer = performer;
    this.#log = log;
    this.#carryOut(first.effects);
    this.#schedule();
  }

  get state(): PeerState {
    return this.#state;
  }

  get storeError(): Error | null {
    return this.#storeError;
  }

  /** Calls back after each change of state. */
  onChange(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  dispatch(event: PeerEvent): void {
    if (this.#isClosed) return;
    let next: Step<PeerState, PeerEffect>;
    try {
      next = stepPeer(this.#state, event, now());
    } catch (err) {
      // The state is as it was: an event that the machine cannot take is dropped whole.
      this.#log.error({ event: event.tag, err }, 'event dropped');
      this.#schedule();
      return;
    }
    this.#state = next.state;
    this.#carryOut(next.effects);
    this.#schedule();
    for (const watcher of this.#watchers) watcher();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const wakeAt = nextWake(this.#state);
    if (wakeAt === this.#wakeAt && this.#timer !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wakeAt = wakeAt;
    // Timers count whole milliseconds: rounding up keeps one from firing just before its time, again and again.
    const delayMs = Math.min(Math.max(1, Math.ceil(wakeAt - performance.now())), 60_000);
    this.#timer = setTimeout(() => this.#wake(), delayMs);
  }

  #wake(): void {
    this.#timer = null;
    const lateMs = performance.now() - this.#wakeAt;
    if (lateMs > LAG_MS) this.dispatch({ tag: 'lag', ms: lateMs });
    this.dispatch({ tag: 'wake' });
  }

  #carryOut(effects: readonly PeerEffect[]): void {
    const persists = effects.some((effect) => effect.tag === 'persist');
    for (const effect of effects) {
      const waits = persists || !overtakes(effect);
      if (effect.tag === 'persist' || effect.tag === 'sendOps' || (waits && this.#isDraining)) {
        this.#ordered.push(effect);
        if (!this.#isDraining) void this.#drain();
      } else {
        this.#perform(effect);
      }
    }
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    for (let effect = this.#ordered.shift(); effect !== undefined; effect = this.#ordered.shift()) {
      if (effect.tag === 'persist') await this.#persist(effect);
      else if (effect.tag === 'sendOps') await this.#sendOps(effect);
      else this.#perform(effect);
    }
    this.#isDraining = false;
  }

  /** Nothing after it may happen before it is durable: a store that refuses is asked again until it takes it. */
  async #persist(effect: PeerEffect & { tag: 'persist' }): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#performer.persist(effect);
        if (this.#storeError !== null) this.#log.info('store takes writes again');
        this.#storeError = null;
        return;
      } catch (err) {
        // Said once: it is asked again twice a second.
        if (this.#storeError === null) this.#log.error({ err }, 'store refuses to write');
        this.#storeError = err instanceof Error ? err : new Error(String(err));
        await new Promise((resolve) => setTimeout(resolve, STORE_RETRY_MS));
      }
    }
  }

  async #sendOps(effect: PeerEffect & { tag: 'sendOps' }): Promise<void> {
    try {
      await this.#performer.sendOps(effect);
    } catch (err) {
      this.#log.warn({ peer: effect.to, err }, 'ops not sent');
    }
  }

  #perform(effect: PeerEffect): void {
    if (effect.tag === 'persist' || effect.tag === 'sendOps') return;
    try {
      this.#performer.perform(effect);
    } catch (err) {
      this.#log.error({ effect: effect.tag, err }, 'effect failed');
    }
  }
}

/** Effects that promise nothing about the ledger need not wait for it. */
function overtakes(effect: PeerEffect): boolean {
  switch (effect.tag) {
    case 'send':
      if (effect.message.t === 'result') return !effect.message.result.ok;
      return effect.message.t === 'swim' || effect.message.t === 'digest';
    case 'answer':
      return !effect.result.ok;
    case 'persist':
    case 'sendOps':
    case 'gossip':
    case 'release':
    case 'duties':
      return false;
    default:
      return true;
  }
}
