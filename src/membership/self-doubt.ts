import type { Draft, MembershipState } from './state.ts';
import { clusterSize } from './state.ts';
import { HEALTH_MAX, suspicionMsMin } from './timing.ts';

const SEVERE_LAG_MS = 1_000;

/**
 * Our own event loop stalled for `ms`: what looks like others' silence was ours. Pings in flight are void, suspicions
 * lose the time that we slept, timeouts widen, and after a severe stall we accuse nobody for one suspicion period.
 */
export function onLag(draft: Draft, ms: number): void {
  draft.probes = [];
  draft.health = Math.max(draft.health, Math.min(HEALTH_MAX, 1 + Math.floor(ms / SEVERE_LAG_MS)));
  if (ms < SEVERE_LAG_MS) return;
  draft.doubtUntil = Math.max(draft.doubtUntil, draft.now + suspicionMsMin(clusterSize(draft)));
}

/** Lifeguard's awareness: answered pings heal, missing answers and refuted rumours about us hurt. */
export function adjustHealth(draft: Draft, by: number): void {
  draft.health = Math.min(HEALTH_MAX, Math.max(0, draft.health + by));
}

/** How late this wake-up comes: more than a little, and the stall was ours. */
export function latenessMs(state: MembershipState, wakeAt: number, now: number): number {
  return state.nextProbeAt === null ? 0 : Math.max(0, now - wakeAt);
}
