import type { Now } from '../step.ts';
import { nextRandom } from '../prng.ts';
import type { PeerEffect } from './effects.ts';
import type { PeerState } from './state.ts';

/**
 * One step in the making: a shallow copy of the state whose fields the parts of the machine replace (never edit in
 * place), and the effects so far. It lives for one call of `stepPeer`.
 */
export type Work = {
  readonly state: { -readonly [K in keyof PeerState]: PeerState[K] };
  readonly effects: PeerEffect[];
  readonly now: Now;
  /** Something that placement looks at has changed. */
  replan: boolean;
};

export function beginWork(state: PeerState, now: Now): Work {
  return { state: { ...state }, effects: [], now, replan: false };
}

/** A number in [0, 1) from the peer's own seeded sequence. */
export function random(work: Work): number {
  const next = nextRandom(work.state.prng);
  work.state.prng = next.state;
  return next.value;
}

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

export function withoutEntry<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  const next = new Map(map);
  next.delete(key);
  return next;
}

/** Whether what something was made from is still what it would be made from now, part by part. */
export function isMadeFrom(before: readonly unknown[], now: readonly unknown[]): boolean {
  return now.length === before.length && now.every((part, i) => part === before[i]);
}
