import type { ClockQueue } from './clock-queue.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { SimPeer } from './sim-peer.ts';

const KINDS = [
  'agent-crash',
  'host-kill',
  'power-loss',
  'all-die',
  'split',
  'isolate',
  'one-way',
  'flap',
  'reset',
  'gossip-loss',
  'slow-disk',
  'clock-skew',
  'clock-jump',
  'stall',
  'dyno-crashes',
  'boot-failures',
  'slow-fetch',
  'slow-network',
] as const;

export type FaultKind = (typeof KINDS)[number];

/**
 * The world at its worst. Each seed draws a handful of kinds and how often they strike (swarm testing: runs that
 * differ in kind find more than runs in which everything happens a little).
 */
export class Faults {
  readonly kinds: readonly FaultKind[];
  readonly #clock: ClockQueue;
  readonly #random: Random;
  readonly #network: Network;
  readonly #peers: readonly SimPeer[];
  #isOver = false;

  constructor(clock: ClockQueue, random: Random, network: Network, peers: readonly SimPeer[]) {
    this.#clock = clock;
    this.#random = random;
    this.#network = network;
    this.#peers = peers;
    this.kinds = KINDS.filter(() => random.chance(0.25));
  }

  run(everyMs: number): void {
    if (this.#isOver || this.kinds.length === 0) return;
    this.#clock.after(this.#random.between(everyMs * 0.2, everyMs * 1.8), () => {
      if (this.#isOver) return;
      const kind = this.#random.pick(this.kinds);
      if (kind !== undefined) this.#strike(kind);
      this.run(everyMs);
    });
  }

  /** Mends everything and starts every host: from here on, things must come right by themselves. */
  end(): void {
    this.#isOver = true;
    this.#network.healAll();
    Object.assign(this.#network.faults, { gossipLoss: 0, gossipTwice: 0, delayMsMax: 5 });
    for (const peer of this.#peers) {
      Object.assign(peer.runtime.faults, { crashChance: 0, bootFailChance: 0, slowFetchMs: 0 });
      peer.diskDelayMs = 1;
      peer.start();
    }
  }

  #strike(kind: FaultKind): void {
    const random = this.#random;
    const peer = random.pick(this.#peers);
    if (peer === undefined) return;
    const later = (ms: number, run: () => void): void => this.#clock.after(ms, () => this.#isOver || run());
    switch (kind) {
      case 'agent-crash':
        this.#down(peer, 'agent-down');
        break;
      case 'host-kill':
        this.#down(peer, 'host-down');
        break;
      case 'power-loss':
        this.#down(peer, 'power-off');
        break;
      case 'all-die':
        for (const each of this.#peers) this.#down(each, random.chance(0.5) ? 'host-down' : 'agent-down');
        break;
      case 'split':
        this.#split(this.#peers.filter(() => random.chance(0.5)));
        later(random.between(500, 20_000), () => this.#network.healAll());
        break;
      case 'isolate':
        this.#split([peer]);
        later(random.between(500, 15_000), () => this.#network.healAll());
        break;
      case 'one-way': {
        const other = random.pick(this.#peers);
        if (other !== undefined && other !== peer) this.#network.cut(peer.peer, other.peer);
        later(random.between(500, 10_000), () => this.#network.healAll());
        break;
      }
      case 'flap':
        for (let i = 0; i < 6; i += 1) {
          later(i * 700, () => this.#split([peer]));
          later(i * 700 + 350, () => this.#network.healAll());
        }
        break;
      case 'reset': {
        const other = random.pick(this.#peers);
        if (other !== undefined && other !== peer) this.#network.reset(peer.peer, other.peer);
        break;
      }
      case 'gossip-loss':
        Object.assign(this.#network.faults, {
          gossipLoss: random.between(0, 0.6),
          gossipTwice: random.between(0, 0.5),
        });
        break;
      case 'slow-network':
        this.#network.faults.delayMsMax = random.between(20, 150);
        break;
      case 'slow-disk':
        peer.diskDelayMs = random.between(50, 1_000);
        break;
      case 'clock-skew':
        peer.wallSkewMs = random.between(-3_600_000, 3_600_000);
        break;
      case 'clock-jump':
        peer.wallSkewMs += random.between(-600_000, 600_000);
        break;
      case 'stall':
        peer.stall(random.between(100, 6_000));
        break;
      case 'dyno-crashes':
        peer.runtime.faults.crashChance = random.between(0, 0.5);
        break;
      case 'boot-failures':
        peer.runtime.faults.bootFailChance = random.between(0, 0.5);
        break;
      case 'slow-fetch':
        peer.runtime.faults.slowFetchMs = random.between(0, 8_000);
        break;
    }
  }

  #down(peer: SimPeer, to: 'agent-down' | 'host-down' | 'power-off'): void {
    peer.crash(to);
    this.#clock.after(this.#random.between(200, 20_000), () => this.#isOver || peer.start());
  }

  #split(side: readonly SimPeer[]): void {
    for (const a of side) {
      for (const b of this.#peers) {
        if (side.includes(b)) continue;
        this.#network.cut(a.peer, b.peer);
        this.#network.cut(b.peer, a.peer);
      }
    }
  }
}
