import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerId } from '../../src/ids.ts';
import type { Mesh } from '../../src/shell/mesh.ts';

/** A peer whose agent has just started again is redialled within seconds. */
const LINK_MS = 10_000;
const LOOK_MS = 100;

/**
 * Waits for a link to `peer`, for those that have nobody else to ask: `Mesh.open` says at once where there is none.
 * Resolves after 10 s whether there is one or not, so that `open` has the last word; rejects only when `signal` aborts.
 */
export async function untilLinked(
  mesh: Pick<Mesh, 'isConnected'>,
  peer: PeerId,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + LINK_MS;
  while (!mesh.isConnected(peer) && performance.now() < deadline) await sleep(LOOK_MS, undefined, { signal });
}
