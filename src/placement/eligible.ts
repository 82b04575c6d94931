import type { Census } from './census.ts';
import { loadAt } from './census.ts';
import type { PlacementPeer, WantedSlot } from './types.ts';

/** Why a peer cannot take a slot. */
export type Obstacle = 'away' | 'draining' | 'arch' | 'room';

/** Null when the peer may take the slot. Own replacements need no permission: their dyno runs there already. */
export function obstacleOf(census: Census, peer: PlacementPeer, slot: WantedSlot): Obstacle | null {
  if (peer.verdict !== 'alive') return 'away';
  if (peer.facts.draining) return 'draining';
  if (slot.arch !== 'any' && slot.arch !== peer.facts.arch) return 'arch';
  return spareMiB(census, peer) < slot.memoryMiB ? 'room' : null;
}

/** Memory that no dyno has been promised. */
export function spareMiB(census: Census, peer: PlacementPeer): number {
  return peer.facts.capacity.memoryMiB - loadAt(census, peer.facts.peer).reservedMiB;
}

/** Says why no peer can take a slot: `No peer can run it: 2 have no room for 512 MiB (at most 100 MiB is free, on "pi")`. */
export function explainUnplaced(census: Census, slot: WantedSlot): string {
  const by = new Map<Obstacle, PlacementPeer[]>();
  for (const peer of census.peers) {
    const obstacle = obstacleOf(census, peer, slot);
    if (obstacle !== null) by.set(obstacle, [...(by.get(obstacle) ?? []), peer]);
  }
  const parts: string[] = [];
  const noRoom = by.get('room') ?? [];
  const otherArch = by.get('arch') ?? [];
  if (noRoom.length > 0) {
    parts.push(`${have(noRoom.length)} no room for ${slot.memoryMiB} MiB (${mostRoom(census, noRoom)})`);
  }
  if (otherArch.length > 0) {
    const archs = [...new Set(otherArch.map(({ facts }) => facts.arch))].sort().join(', ');
    parts.push(`${are(otherArch.length)} ${archs} while the slug is ${slot.arch}`);
  }
  const draining = by.get('draining')?.length ?? 0;
  const away = by.get('away')?.length ?? 0;
  if (draining > 0) parts.push(`${are(draining)} draining`);
  if (away > 0) parts.push(`${are(away)} not reachable`);
  return `No peer can run it: ${parts.join(', ')}`;
}

function mostRoom(census: Census, peers: readonly PlacementPeer[]): string {
  const rooms = peers.map((peer) => ({ name: peer.facts.name, spare: spareMiB(census, peer) }));
  const best = rooms.reduce((a, b) => (b.spare > a.spare ? b : a));
  return `at most ${Math.max(0, best.spare)} MiB is free, on "${best.name}"`;
}

function have(count: number): string {
  return `${count} ${count === 1 ? 'has' : 'have'}`;
}

function are(count: number): string {
  return `${count} ${count === 1 ? 'is' : 'are'}`;
}
