import type { Strike, World } from './faults.ts';
import type { SimPeer } from './sim-peer.ts';

/** Trouble between hosts. */
export const NETWORK_STRIKES = {
  split: (_peer, world) => {
    cutOff(
      world.peers.filter(() => world.random.chance(0.5)),
      world,
    );
    world.later(world.random.between(500, 20_000), () => world.network.healAll());
  },
  isolate: (peer, world) => {
    cutOff([peer], world);
    world.later(world.random.between(500, 15_000), () => world.network.healAll());
  },
  'one-way': (peer, world) => {
    const other = world.random.pick(world.peers);
    if (other !== undefined && other !== peer) world.network.cut(peer.peer, other.peer);
    world.later(world.random.between(500, 10_000), () => world.network.healAll());
  },
  flap: (peer, world) => {
    for (let i = 0; i < 6; i += 1) {
      world.later(i * 700, () => cutOff([peer], world));
      world.later(i * 700 + 350, () => world.network.healAll());
    }
  },
  reset: (peer, { random, network, peers }) => {
    const other = random.pick(peers);
    if (other !== undefined && other !== peer) network.reset(peer.peer, other.peer);
  },
  'gossip-loss': (_peer, { random, network }) => {
    Object.assign(network.faults, {
      gossipLoss: random.between(0, 0.6),
      gossipTwice: random.between(0, 0.5),
    });
  },
  'gossip-late': (_peer, { random, network }) => {
    network.faults.gossipLate = random.between(0, 0.3);
  },
  stragglers: (peer, { random, network, peers, later }) => {
    network.faults.stragglers = random.between(0, 0.5);
    for (const other of peers) {
      if (other !== peer) later(random.between(0, 2_000), () => network.reset(peer.peer, other.peer));
    }
  },
  'slow-network': (_peer, { random, network }) => {
    network.faults.delayMsMax = random.between(20, 150);
  },
} as const satisfies Record<string, Strike>;

/** Nothing passes between these and the others, in either direction. */
export function cutOff(side: readonly SimPeer[], { peers, network }: Pick<World, 'peers' | 'network'>): void {
  for (const a of side) {
    for (const b of peers) {
      if (side.includes(b)) continue;
      network.cut(a.peer, b.peer);
      network.cut(b.peer, a.peer);
    }
  }
}
