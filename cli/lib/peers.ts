import type { PeerResource } from '../../src/platform/peer.ts';
import type { Paint } from './print/paint.ts';

/** `alive`, and whether the peer is being emptied. */
export function paintState({ state, draining }: PeerResource, paint: Paint): string {
  const colour =
    state === 'alive' ? paint.green : state === 'down' || state === 'gone' ? paint.red : paint.yellow;
  return colour(draining ? `${state}, draining` : state);
}

/** `docker`, or `docker, away` while it answers to nobody. */
export function paintRuntime({ runtime, runtime_down: down }: PeerResource, paint: Paint): string {
  if (runtime === null) return '';
  return down == null ? runtime : paint.red(`${runtime}, away`);
}

/** What dynos take of a peer's memory: `1.0/7.8 GB`. */
export function formatMemory({ memory_used_mib: used, memory_mib: all }: PeerResource): string {
  if (all === null) return '';
  return `${((used ?? 0) / 1_024).toFixed(1)}/${(all / 1_024).toFixed(1)} GB`;
}

export function peerPath(name: string): string {
  return `/kith/peers/${encodeURIComponent(name)}`;
}
