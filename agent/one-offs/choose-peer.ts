import { sizeOf } from '../../src/dyno-sizes.ts';
import { PlatformError } from '../../src/errors.ts';
import type { PeerFacts } from '../../src/facts.ts';
import type { PeerId } from '../../src/ids.ts';
import type { SlugRef } from '../../src/ledger/releases/release-types.ts';
import type { SlotVolume } from '../../src/placement/types.ts';
import type { PeerStatus } from '../../src/shell/host.ts';

type Wanted = {
  readonly slug: Pick<SlugRef, 'arch' | 'format'> | null;
  /** Name of a dyno size. */
  readonly size: string;
  /** Only the peer that has them all can take it. */
  readonly volumes: readonly SlotVolume[];
};

/**
 * The peers that can take a one-off dyno, the one with most free memory first.
 * @throws PlatformError `no_capacity` that says of each peer what stands in the way
 */
export function peersWithRoom(peers: readonly PeerStatus[], wanted: Wanted): readonly PeerId[] {
  const able: { readonly peer: PeerId; readonly freeMiB: number }[] = [];
  const obstacles: string[] = [];
  for (const { peer, verdict, facts } of peers) {
    const obstacle = facts === null || verdict !== 'alive' ? `is ${verdict}` : obstacleAt(facts, wanted);
    if (facts !== null && obstacle === null) able.push({ peer, freeMiB: freeMiB(facts) });
    else obstacles.push(`"${facts?.name ?? peer}" ${obstacle ?? ''}`);
  }
  if (able.length === 0) throw noCapacity(wanted, obstacles);
  return able.sort((a, b) => b.freeMiB - a.freeMiB || (a.peer < b.peer ? -1 : 1)).map(({ peer }) => peer);
}

/** Why a live peer cannot take it; null when it can. */
function obstacleAt(facts: PeerFacts, { slug, size, volumes }: Wanted): string | null {
  const arch = slug?.arch ?? 'any';
  const far = volumes.find(({ peer }) => peer !== facts.peer);
  if (far !== undefined) return `does not have its volume "${far.name}"`;
  if (facts.draining) return 'is draining';
  if (facts.runtimeDown !== undefined) return `cannot: ${facts.runtimeDown}`;
  if (arch !== 'any' && facts.arch !== arch) return `is ${facts.arch} while the code is ${arch}`;
  if (slug?.format === 'image' && facts.runtime !== 'docker') return 'has no Docker for a container image';
  const free = freeMiB(facts);
  return free < sizeOf(size).memoryMiB ? `has ${Math.max(0, free)} MiB free` : null;
}

/** Memory that no dyno has been promised. */
function freeMiB({ capacity, dynos, oneOffs }: PeerFacts): number {
  const promised = [...dynos, ...oneOffs].reduce((sum, dyno) => sum + sizeOf(dyno.size).memoryMiB, 0);
  return capacity.memoryMiB - promised;
}

function noCapacity({ size }: Wanted, obstacles: readonly string[]): PlatformError {
  const { memoryMiB } = sizeOf(size);
  return new PlatformError(
    'no_capacity',
    `Cannot run a ${size} dyno (${memoryMiB} MiB): no peer can take it: ${obstacles.join(', ')}`,
    { hint: 'Ask for a smaller --size, scale something down, or let another peer join' },
  );
}
