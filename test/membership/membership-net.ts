import type { Verdict } from '../../src/facts.ts';
import type { PeerId } from '../../src/ids.ts';
import { nextRandom } from '../../src/prng.ts';
import {
  createMembership,
  nextMembershipWake,
  stepMembership,
  verdictOf,
  type MembershipState,
} from '../../src/membership/membership.ts';
import type { MembershipEffect, MembershipEvent, PortState } from '../../src/membership/types.ts';

type Pending = { readonly at: number; readonly order: number; readonly run: () => void };

const LATENCY_MS = 1;
const RESET_MS = 10;

/** Failure detectors of several peers on one virtual clock and one breakable network. */
export class MembershipNet {
  now = 0;
  sent = 0;
  readonly ids: readonly PeerId[];
  readonly #states = new Map<PeerId, MembershipState>();
  readonly #cut = new Set<string>();
  readonly #dead = new Set<PeerId>();
  readonly #stalledUntil = new Map<PeerId, number>();
  readonly #links = new Set<string>();
  readonly #ports = new Map<PeerId, { agent: PortState; router: PortState }>();
  readonly #persisted = new Map<PeerId, number>();
  #queue: Pending[] = [];
  #order = 0;
  #random: number;
  lossRate = 0;

  constructor(size: number, seed = 1) {
    this.#random = seed;
    this.ids = Array.from({ length: size }, (_, at) => `p${String(at).padStart(3, '0')}` as PeerId);
    for (const peer of this.ids) this.boot(peer);
    for (const a of this.ids) for (const b of this.ids) if (a < b) this.link(a, b);
  }

  peer(at: number): PeerId {
    const peer = this.ids[at];
    if (peer === undefined) throw new Error(`There is no peer ${at}`);
    return peer;
  }

  boot(peer: PeerId): void {
    const incarnation = (this.#persisted.get(peer) ?? 0) + 1;
    this.#persisted.set(peer, incarnation);
    this.#dead.delete(peer);
    this.#ports.set(peer, { agent: 'open', router: 'open' });
    const seed = Math.floor(this.draw() * 2 ** 32);
    this.#states.set(peer, createMembership({ self: peer, incarnation, seed }));
    this.event(peer, { tag: 'members', peers: this.ids });
  }

  link(a: PeerId, b: PeerId): void {
    if (this.#dead.has(a) || this.#dead.has(b)) return;
    this.#links.add(key(a, b));
    this.event(a, { tag: 'connected', peer: b });
    this.event(b, { tag: 'connected', peer: a });
  }

  unlink(a: PeerId, b: PeerId, afterMs = 0): void {
    if (!this.#links.delete(key(a, b))) return;
    this.later(afterMs, () => this.event(a, { tag: 'disconnected', peer: b }));
    this.later(afterMs, () => this.event(b, { tag: 'disconnected', peer: a }));
  }

  /** The process dies; its kernel resets every connection and refuses its ports. */
  kill(peer: PeerId, ports: { agent: PortState; router: PortState }): void {
    this.#dead.add(peer);
    this.#ports.set(peer, ports);
    for (const other of this.ids) if (other !== peer) this.unlink(peer, other, RESET_MS);
  }

  /** The host loses power: nothing answers any more, and no connection says so. */
  silence(peer: PeerId): void {
    this.#dead.add(peer);
    this.#ports.set(peer, { agent: 'timeout', router: 'timeout' });
  }

  setPorts(peer: PeerId, ports: { agent: PortState; router: PortState }): void {
    this.#ports.set(peer, ports);
  }

  /** Starts a dead peer again and connects it with every other. */
  restart(peer: PeerId): void {
    this.boot(peer);
    for (const other of this.ids) if (other !== peer) this.link(peer, other);
  }

  stall(peer: PeerId, ms: number): void {
    this.#stalledUntil.set(peer, this.now + ms);
  }

  /** Nothing passes between the two sides; connections stay up and say nothing. */
  partition(left: readonly PeerId[], right: readonly PeerId[]): void {
    for (const a of left) for (const b of right) this.#cut.add(key(a, b));
  }

  heal(): void {
    this.#cut.clear();
  }

  event(peer: PeerId, event: MembershipEvent): void {
    const state = this.#states.get(peer);
    if (state === undefined || this.#dead.has(peer)) return;
    const stalledUntil = this.#stalledUntil.get(peer) ?? 0;
    if (stalledUntil > this.now) {
      this.later(stalledUntil - this.now, () => this.event(peer, event));
      return;
    }
    const next = stepMembership(state, event, { mono: this.now, wall: this.now });
    this.#states.set(peer, next.state);
    for (const effect of next.effects) this.#perform(peer, effect);
    this.#schedule(peer);
  }

  run(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.#queue.sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined || next.at > until) break;
      this.#queue.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = until;
  }

  /** Runs until it holds, and says after how many ms; throws when that takes too long. */
  runUntil(holds: () => boolean, withinMs: number): number {
    const from = this.now;
    while (!holds()) {
      if (this.now - from >= withinMs) throw new Error(`Not true within ${withinMs} ms of virtual time`);
      this.run(5);
    }
    return this.now - from;
  }

  verdict(of: PeerId, by: PeerId): Verdict {
    return verdictOf(this.state(by), of);
  }

  state(peer: PeerId): MembershipState {
    const state = this.#states.get(peer);
    if (state === undefined) throw new Error(`Peer "${peer}" never booted`);
    return state;
  }

  /** Whether all living peers see all living peers alive. */
  isWhole(): boolean {
    const living = this.ids.filter((peer) => !this.#dead.has(peer));
    return living.every((by) => living.every((of) => this.verdict(of, by) === 'alive'));
  }

  draw(): number {
    const draw = nextRandom(this.#random);
    this.#random = draw.state;
    return draw.value;
  }

  later(ms: number, run: () => void): void {
    this.#order += 1;
    this.#queue.push({ at: this.now + ms, order: this.#order, run });
  }

  #perform(from: PeerId, effect: MembershipEffect): void {
    if (effect.tag === 'incarnation') this.#persisted.set(from, effect.incarnation);
    if (effect.tag === 'probePorts') {
      const ports = this.#ports.get(effect.peer) ?? { agent: 'timeout', router: 'timeout' };
      const answer = () => this.event(from, { tag: 'ports', peer: effect.peer, ...ports });
      this.later(ports.agent === 'timeout' ? 300 : 2, answer);
    }
    if (effect.tag !== 'send') return;
    this.sent += 1;
    const { to, message } = effect;
    if (!this.#links.has(key(from, to)) || this.draw() < this.lossRate) return;
    this.later(LATENCY_MS, () => {
      if (!this.#cut.has(key(from, to))) this.event(to, { tag: 'message', from, message });
    });
  }

  #schedule(peer: PeerId): void {
    const state = this.state(peer);
    const wake = nextMembershipWake(state);
    if (wake === Infinity) return;
    this.later(Math.max(0, wake - this.now), () => {
      if (this.#states.get(peer) === state) this.event(peer, { tag: 'tick' });
    });
  }
}

function key(a: PeerId, b: PeerId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
