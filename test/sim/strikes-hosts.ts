import type { Strike, World } from './faults.ts';
import type { SimPeer } from './sim-peer.ts';

const HOUR_MS = 3_600_000;

/** Trouble within one host: its agent, its power, its disk, its clock, its dynos. */
export const HOST_STRIKES = {
  'agent-crash': (peer, world) => goDown(peer, 'agent-down', world),
  'host-kill': (peer, world) => goDown(peer, 'host-down', world),
  'power-loss': (peer, world) => goDown(peer, 'power-off', world),
  'all-die': (_peer, world) => {
    for (const each of world.peers) {
      if (each.standing === 'member')
        goDown(each, world.random.chance(0.5) ? 'host-down' : 'agent-down', world);
    }
  },
  'slow-disk': (peer, { random }) => {
    peer.diskDelayMs = random.between(50, 1_000);
  },
  /** An old backup is put back, or a cloned disk started: the peer forgets what it wrote since, and goes on writing. */
  'old-disk': (peer, world) => {
    const restore = peer.disk.backup();
    const had = new Set(peer.disk.ids());
    world.later(world.random.between(1_000, 15_000), () => {
      const lost = peer.disk.ids().filter((op) => !had.has(op));
      if (!lost.every((op) => isElsewhere(op, peer, world))) return;
      goDown(peer, 'host-down', world);
      restore();
      peer.isRestored = true;
    });
  },
  /**
   * One op in the middle of the store cannot be read when the peer boots. (Not one that says who belongs to the
   * cluster: a peer that does not know that talks to nobody, and has to join anew.)
   */
  'bad-sector': (peer, world) => {
    const isSpare = (id: string): boolean =>
      !/^(cluster|member)\./.test(peer.disk.get(id)?.op.kind ?? '') && isElsewhere(id, peer, world);
    const op = world.random.pick(peer.disk.ids().filter(isSpare));
    goDown(peer, 'agent-down', world);
    if (op === undefined) return;
    peer.disk.lose(op);
    peer.isRestored = true;
  },
  'clock-skew': (peer, { random }) => {
    peer.wallSkewMs = random.between(-HOUR_MS, HOUR_MS);
  },
  'clock-jump': (peer, { random }) => {
    peer.wallSkewMs += random.between(-600_000, 600_000);
  },
  /** For good: nobody ever sets it right. */
  'clock-hour-off': (peer, { random }) => {
    peer.wallSkewMs = random.chance(0.5) ? HOUR_MS : -HOUR_MS;
  },
  stall: (peer, { random }) => peer.stall(random.between(100, 6_000)),
  freeze: (peer, { random }) => peer.stall(random.between(8_000, 25_000)),
  'dyno-crashes': (peer, { random }) => {
    peer.runtime.faults.crashChance = random.between(0, 0.5);
  },
  'boot-failures': (peer, { random }) => {
    peer.runtime.faults.bootFailChance = random.between(0, 0.5);
  },
  /** The Engine is restarted, upgraded, or dies: some of its dynos run on, some do not. */
  'engine-away': (peer, world) => {
    peer.runtime.goAway(world.random.chance(0.4));
    world.later(world.random.between(500, 40_000), () => peer.runtime.comeBack());
  },
  'slow-fetch': (peer, { random }) => {
    peer.runtime.faults.slowFetchMs = random.between(0, 8_000);
  },
} as const satisfies Record<string, Strike>;

function goDown(peer: SimPeer, to: 'agent-down' | 'host-down' | 'power-off', world: World): void {
  peer.crash(to);
  world.later(world.random.between(200, 20_000), () => peer.start());
}

/**
 * What no other disk holds would be lost with this one: no system can promise that. That somebody was admitted has to be known
 * to another than them: to all others they would be a stranger, who is not listened to and has to join anew.
 */
function isElsewhere(id: string, than: SimPeer, { peers }: World): boolean {
  const op = than.disk.get(id)?.op;
  const admitted = op?.kind === 'member.admit' ? (op.body as { peer: string }).peer : null;
  return peers.some(
    (peer) => peer !== than && peer.peer !== admitted && peer.standing === 'member' && peer.disk.has(id),
  );
}
