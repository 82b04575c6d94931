import type { ClockQueue } from './clock-queue.ts';
import { CALM, type Network } from './network.ts';
import type { Random } from './random.ts';
import type { SimPeer } from './sim-peer.ts';
import { HOST_STRIKES } from './strikes-hosts.ts';
import { MEMBER_STRIKES } from './strikes-members.ts';
import { NETWORK_STRIKES } from './strikes-network.ts';

/** What a strike may touch. */
export type World = {
  readonly clock: ClockQueue;
  readonly random: Random;
  readonly network: Network;
  /** Every host that there will ever be. */
  readonly peers: readonly SimPeer[];
  /** Does something later, unless the trouble is over by then. */
  readonly later: (ms: number, run: () => void) => void;
};

/** One kind of trouble, as it befalls one host. */
export type Strike = (peer: SimPeer, world: World) => void;

const STRIKES = { ...HOST_STRIKES, ...NETWORK_STRIKES, ...MEMBER_STRIKES } as const;

export type FaultKind = keyof typeof STRIKES;

const KINDS = Object.keys(STRIKES) as FaultKind[];

/**
 * The world at its worst. Each seed draws a handful of kinds and how often they strike (swarm testing: runs that
 * differ in kind find more than runs in which everything happens a little).
 */
export class Faults {
  readonly kinds: readonly FaultKind[];
  readonly #world: World;
  #isOver = false;

  constructor(world: Omit<World, 'later'>, kinds?: readonly FaultKind[]) {
    const later = (ms: number, run: () => void): void => world.clock.after(ms, () => this.#isOver || run());
    this.#world = { ...world, later };
    this.kinds = kinds ?? KINDS.filter(() => world.random.chance(0.2));
    // A clock that is wrong is so from the first moment: what was written by then must not matter later.
    const first = world.random.pick(world.peers);
    if (first !== undefined && this.kinds.includes('clock-hour-off'))
      STRIKES['clock-hour-off'](first, this.#world);
  }

  run(everyMs: number): void {
    const { clock, random } = this.#world;
    if (this.#isOver || this.kinds.length === 0) return;
    clock.after(random.between(everyMs * 0.2, everyMs * 1.8), () => {
      if (this.#isOver) return;
      const kind = random.pick(this.kinds);
      if (kind !== undefined) this.#strike(kind);
      this.run(everyMs);
    });
  }

  /** Mends everything and starts every host: from here on, things must come right by themselves. */
  end(): void {
    const { network, peers } = this.#world;
    this.#isOver = true;
    network.healAll();
    Object.assign(network.faults, CALM);
    for (const peer of peers) {
      Object.assign(peer.runtime.faults, { crashChance: 0, bootFailChance: 0, slowFetchMs: 0 });
      peer.runtime.comeBack();
      peer.diskDelayMs = 1;
      peer.thaw();
      if (peer.standing === 'stranger') continue;
      if (peer.hasLeft) peer.crash('host-down');
      peer.start();
      peer.dispatch({ tag: 'draining', on: false });
    }
  }

  #strike(kind: FaultKind): void {
    const { random, peers } = this.#world;
    const peer = random.pick(peers.filter(({ standing }) => standing === 'member'));
    if (peer !== undefined) STRIKES[kind](peer, this.#world);
  }
}
