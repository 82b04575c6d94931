import type { PeerId } from '../../src/ids.ts';
import type { ClockQueue } from './clock-queue.ts';
import type { Random } from './random.ts';

export type Endpoint = {
  readonly peer: PeerId;
  /** The agent process runs. */
  isRunning(): boolean;
  onConnected(peer: PeerId): void;
  onDisconnected(peer: PeerId): void;
  /** Whether this side talks to that peer at all: only members do. */
  admits(peer: PeerId): boolean;
  deliver(from: PeerId, message: unknown): void;
  gossiped(from: PeerId, message: unknown): void;
};

export type NetworkFaults = {
  /** Chance that gossip does not reach one peer. */
  gossipLoss: number;
  gossipTwice: number;
  /** Chance that a gossip message comes once more, up to half a minute late. */
  gossipLate: number;
  /** Chance that a frame of a connection that is gone arrives all the same, maybe after the next was made. */
  stragglers: number;
  delayMsMax: number;
};

export const CALM: NetworkFaults = {
  gossipLoss: 0,
  gossipTwice: 0,
  gossipLate: 0,
  stragglers: 0,
  delayMsMax: 5,
};

type Link = { isUp: boolean; epoch: number; held: (() => void)[]; lastAt: number };

/**
 * Connections between peers: frames arrive in order while one lives, and are lost with it. A cut behaves like TCP over
 * a dead path: what is sent waits, and arrives after the heal unless the connection was given up before.
 */
export class Network {
  readonly faults: NetworkFaults = { ...CALM };
  readonly #clock: ClockQueue;
  readonly #random: Random;
  readonly #endpoints = new Map<PeerId, Endpoint>();
  readonly #links = new Map<string, Link>();
  /** Directed pairs that nothing passes now. */
  readonly #cut = new Set<string>();

  constructor(clock: ClockQueue, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  add(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.peer, endpoint);
    this.#clock.after(this.#random.between(0, 50), () => this.#dial(endpoint.peer));
  }

  isCut(from: PeerId, to: PeerId): boolean {
    return this.#cut.has(`${from}>${to}`);
  }

  /** Cuts one direction. Connections over it freeze; some are given up. */
  cut(from: PeerId, to: PeerId): void {
    this.#cut.add(`${from}>${to}`);
    if (this.#random.chance(0.5))
      this.#clock.after(this.#random.between(0, 20_000), () => {
        if (this.isCut(from, to)) this.reset(from, to);
      });
  }

  healAll(): void {
    this.#cut.clear();
    for (const link of this.#links.values()) {
      for (const deliver of link.held.splice(0)) this.#clock.after(this.#random.between(0, 5), deliver);
    }
  }

  reset(a: PeerId, b: PeerId): void {
    const was = this.#isUp(a, b);
    for (const link of [this.#link(a, b), this.#link(b, a)]) {
      link.isUp = false;
      link.epoch += 1;
      link.held = [];
    }
    if (!was) return;
    for (const [self, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const endpoint = this.#endpoints.get(self);
      this.#clock.after(this.#random.between(1, 15), () => {
        if (endpoint?.isRunning() && !this.#isUp(self, other)) endpoint.onDisconnected(other);
      });
    }
  }

  /** One side closes its connection with the other: what was sent before still arrives. */
  keepOnly(from: PeerId, members: ReadonlySet<PeerId>): void {
    for (const peer of this.#endpoints.keys())
      if (peer !== from && !members.has(peer)) this.#drop(from, peer);
  }

  #drop(from: PeerId, to: PeerId): void {
    this.#clock.after(2 * this.faults.delayMsMax, () => {
      if (!this.#endpoints.get(from)?.admits(to)) this.reset(from, to);
    });
  }

  /** The process of a peer is gone: its connections break at once (or, when its host lost power, silently). */
  processGone(peer: PeerId, silently: boolean): void {
    for (const other of this.#endpoints.keys()) {
      if (other === peer || !this.#isUp(peer, other)) continue;
      if (!silently) {
        this.reset(peer, other);
        continue;
      }
      this.#clock.after(this.#random.between(5_000, 30_000), () => {
        if (!this.#endpoints.get(peer)?.isRunning()) this.reset(peer, other);
      });
    }
  }

  /** A process that starts knows no connection of the one before it. */
  processStarted(peer: PeerId): void {
    for (const other of this.#endpoints.keys()) if (other !== peer) this.reset(peer, other);
  }

  send(from: PeerId, to: PeerId, message: unknown): void {
    const link = this.#link(from, to);
    const target = this.#endpoints.get(to);
    if (!link.isUp || target === undefined) return;
    const { epoch } = link;
    const isStraggler = this.#random.chance(this.faults.stragglers);
    const deliver = (): void => {
      if ((link.epoch === epoch || isStraggler) && target.isRunning()) target.deliver(from, message);
    };
    if (this.isCut(from, to)) {
      if (link.held.length < 5_000) link.held.push(deliver);
      return;
    }
    const at = Math.max(link.lastAt, this.#clock.now + this.#delay()) + (isStraggler ? 20 : 0);
    link.lastAt = at;
    this.#clock.after(at - this.#clock.now, deliver);
  }

  gossip(from: PeerId, message: unknown): void {
    for (const [peer, endpoint] of this.#endpoints) {
      if (peer === from || !this.#isUp(from, peer) || this.isCut(from, peer)) continue;
      if (this.#random.chance(this.faults.gossipLoss)) continue;
      const delays = [this.#delay()];
      if (this.#random.chance(this.faults.gossipTwice)) delays.push(this.#delay() * 2);
      if (this.#random.chance(this.faults.gossipLate)) delays.push(this.#random.between(500, 30_000));
      for (const delay of delays) {
        this.#clock.after(delay, () => {
          if (endpoint.isRunning() && !this.isCut(from, peer)) endpoint.gossiped(from, message);
        });
      }
    }
  }

  #delay(): number {
    return this.#random.between(0.2, this.faults.delayMsMax);
  }

  #dial(peer: PeerId): void {
    const endpoint = this.#endpoints.get(peer);
    for (const [other, target] of this.#endpoints) {
      if (other <= peer || !endpoint?.isRunning() || !target.isRunning()) continue;
      if (this.#isUp(peer, other) || this.isCut(peer, other) || this.isCut(other, peer)) continue;
      if (!endpoint.admits(other) || !target.admits(peer)) continue;
      for (const link of [this.#link(peer, other), this.#link(other, peer)]) link.isUp = true;
      endpoint.onConnected(other);
      target.onConnected(peer);
    }
    this.#clock.after(this.#random.between(300, 2_500), () => this.#dial(peer));
  }

  #isUp(a: PeerId, b: PeerId): boolean {
    return this.#link(a, b).isUp && this.#link(b, a).isUp;
  }

  #link(from: PeerId, to: PeerId): Link {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = { isUp: false, epoch: 0, held: [], lastAt: 0 };
      this.#links.set(key, link);
    }
    return link;
  }
}
