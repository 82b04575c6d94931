import type { Census } from './census.ts';
import { loadAt } from './census.ts';
import type { PlacementPeer, SlotVolume, WantedSlot } from './types.ts';

/** Why a peer cannot take a slot. */
export type Obstacle = 'away' | 'draining' | 'runtime' | Misfit | 'room';
export type Misfit = 'volume' | 'arch' | 'format';

/** Null when the peer may take the slot. Own replacements need no permission: their dyno runs there already. */
export function obstacleOf(census: Census, peer: PlacementPeer, slot: WantedSlot): Obstacle | null {
  if (peer.verdict !== 'alive') return 'away';
  if (peer.facts.draining) return 'draining';
  if (peer.facts.runtimeDown !== undefined) return 'runtime';
  const misfit = misfitOf(peer, slot);
  if (misfit !== null) return misfit;
  return spareMiB(census, peer) < slot.memoryMiB ? 'room' : null;
}

/** What keeps a peer from ever running the slot as it is wanted now, even where an earlier release runs there. */
export function misfitOf({ facts }: PlacementPeer, slot: WantedSlot): Misfit | null {
  if (slot.volumes.some(({ peer }) => peer !== facts.peer)) return 'volume';
  if (slot.arch !== 'any' && slot.arch !== facts.arch) return 'arch';
  return slot.format === 'image' && facts.runtime !== 'docker' ? 'format' : null;
}

/** Memory that no dyno has been promised. */
export function spareMiB(census: Census, peer: PlacementPeer): number {
  return peer.facts.capacity.memoryMiB - loadAt(census, peer.facts.peer).reservedMiB;
}

/** The first of a slot's volumes whose dynos must not run now. */
export function stoppedVolume({ volumes }: WantedSlot): SlotVolume | undefined {
  return volumes.find(({ stopped }) => stopped !== null);
}

/** `Waits for its volume "data" on "pi": 1 is not reachable`: nobody else may run it, however long that takes. */
function explainPinned(census: Census, slot: WantedSlot, { name, peer: id }: SlotVolume): string {
  const elsewhere = slot.volumes.find(({ peer }) => peer !== id);
  if (elsewhere !== undefined) {
    return `Its volumes "${name}" and "${elsewhere.name}" are on different peers: move or unmount one`;
  }
  const peer = census.byId.get(id);
  const waits = `Waits for its volume "${name}" on "${peer?.facts.name ?? id}"`;
  const obstacle = peer === undefined ? 'away' : obstacleOf(census, peer, slot);
  switch (obstacle) {
    case 'away':
      return `${waits}, which is not reachable`;
    case 'draining':
      return `${waits}, which is draining: move the volume, or end that`;
    case 'runtime':
      return `${waits}, which cannot run it: ${peer?.facts.runtimeDown}`;
    case 'arch':
      return `${waits}, which is ${peer?.facts.arch} while the slug is ${slot.arch}`;
    case 'format':
      return `${waits}, which has no Docker for a container image`;
    case 'room':
      return `${waits}, which has no room for ${slot.memoryMiB} MiB`;
    default:
      // It has been tried there, and others may not.
      return `Keeps crashing on "${peer?.facts.name ?? id}", where its volume "${name}" is`;
  }
}

/** Says why no peer can take a slot: `No peer can run it: 2 have no room for 512 MiB (at most 100 MiB is free, on "pi")`. */
export function explainUnplaced(census: Census, slot: WantedSlot): string {
  const [pinnedBy] = slot.volumes;
  if (pinnedBy !== undefined) return explainPinned(census, slot, pinnedBy);
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
  const withoutEngine = by.get('format')?.length ?? 0;
  if (withoutEngine > 0) parts.push(`${have(withoutEngine)} no Docker for a container image`);
  for (const { facts } of by.get('runtime') ?? []) parts.push(`"${facts.name}" cannot: ${facts.runtimeDown}`);
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
