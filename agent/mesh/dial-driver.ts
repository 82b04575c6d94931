import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { Logger } from 'pino';
import type { PeerId } from '../../src/ids.ts';
import type { Tasks } from '../lib/tasks.ts';
import { type DialerEffect, type DialerEvent, nextDialAt, startDialer, stepDialer } from './dialer.ts';
import type { Host } from './host.ts';

/** All addresses of a peer together. */
const DIAL_MS = 20_000;

/** Carries out what `stepDialer` decides. A dial's success is a connection; only `up` makes it count. */
export class DialDriver {
  readonly #host: Host;
  readonly #tasks: Tasks;
  readonly #log: Logger;
  #state: ReturnType<typeof startDialer>;
  readonly #dials = new Map<PeerId, AbortController>();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(self: PeerId, host: Host, tasks: Tasks, log: Logger) {
    this.#host = host;
    this.#tasks = tasks;
    this.#log = log;
    this.#state = startDialer(self);
  }

  step(event: DialerEvent): void {
    if (this.#isStopped) return;
    const now = performance.now();
    const { state, effects } = stepDialer(this.#state, event, now, Math.random);
    this.#state = state;
    for (const effect of effects) {
      if (effect.tag === 'cancel') this.#dials.get(effect.peer)?.abort();
      else this.#tasks.run('dial', () => this.#dial(effect));
    }
    clearTimeout(this.#timer);
    const at = nextDialAt(state);
    if (at !== Infinity)
      this.#timer = setTimeout(() => this.step({ tag: 'tick' }), Math.max(0, at - now)).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    for (const dial of this.#dials.values()) dial.abort();
  }

  async #dial({ peer, addrs, patienceMs }: DialerEffect & { tag: 'dial' }): Promise<void> {
    const controller = new AbortController();
    this.#dials.set(peer, controller);
    try {
      const targets = addrs.flatMap((addr) => this.#parse(addr, peer));
      const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(DIAL_MS)]);
      await this.#dialOneOf(targets, patienceMs, signal);
    } catch (err) {
      this.#log.debug({ peer, addrs, err }, 'dial failed');
      const isLate = err instanceof Error && err.name === 'TimeoutError';
      this.step({ tag: 'failed', peer, isLate });
    } finally {
      if (this.#dials.get(peer) === controller) this.#dials.delete(peer);
    }
  }

  /** One address after another, each with its own time: a dead one does not use up that of the good one behind it. */
  async #dialOneOf(
    [first, ...rest]: readonly Multiaddr[],
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (first === undefined) throw new Error('No usable address');
    const within = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    try {
      // `force`: a connection that is there already is no link, or we would not dial.
      await this.#host.dial(first, { signal: within, force: true });
    } catch (error) {
      if (rest.length === 0 || signal.aborted) throw error;
      await this.#dialOneOf(rest, patienceMs, signal);
    }
  }

  #parse(addr: string, peer: PeerId): Multiaddr[] {
    try {
      return [multiaddr(addr).encapsulate(`/p2p/${peer}`)];
    } catch {
      this.#log.warn({ peer, addr }, 'not a multiaddr');
      return [];
    }
  }
}
