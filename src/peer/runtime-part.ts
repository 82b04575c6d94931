import { RUNTIME_GRACE_MS } from '../dynos/timeouts.ts';
import type { PeerFacts } from '../facts.ts';
import type { PeerState } from './state.ts';
import type { Work } from './work.ts';

/**
 * Dynos cannot be started here any more, or can again. Those that run may well run on, so their routes stay; while the
 * runtime is away no slot is claimed, and what was crashed rests.
 */
export function onRuntime(work: Work, on: boolean, reason: string): void {
  const { state, now } = work;
  work.replan = true;
  if (!on) {
    const { since, isLost } = state.runtimeDown ?? { since: now.mono, isLost: false };
    state.runtimeDown = { since, reason, isLost };
    return;
  }
  if (state.runtimeDown === null) return;
  state.runtimeDown = null;
  // Those that were told to go while nobody could pass it on are told again at once.
  for (const life of state.dynos.values()) {
    const isGoing = life.state.tag === 'stopping' && !life.state.killed;
    if (!isGoing && life.state.tag !== 'stopping' && life.state.tag !== 'crashed') continue;
    const signal = isGoing ? 'SIGTERM' : 'SIGKILL';
    work.effects.push({ tag: 'dyno', life, effect: { tag: 'signal', signal } });
  }
}

/**
 * A runtime that stays away has lost its dynos: as far as anybody can tell they do not run. They are given up like those
 * of a peer that drains, so one that does run serves until its successor is up, and ends when the runtime is back.
 */
export function loseDynos(work: Work): void {
  const { state, now } = work;
  if (state.runtimeDown === null || now.mono < lossAt(state)) return;
  state.runtimeDown = { ...state.runtimeDown, isLost: true };
  work.replan = true;
}

/** When the dynos here are given up, mono ms; Infinity while the runtime answers, and once they are. */
export function lossAt({ runtimeDown }: PeerState): number {
  if (runtimeDown === null || runtimeDown.isLost) return Infinity;
  return runtimeDown.since + RUNTIME_GRACE_MS;
}

/** What others hear of it. */
export function runtimeFacts({ runtimeDown }: PeerState): Pick<PeerFacts, 'runtimeDown' | 'dynosLost'> {
  if (runtimeDown === null) return {};
  const { reason, isLost } = runtimeDown;
  return { runtimeDown: reason.slice(0, 500), ...(isLost ? { dynosLost: true as const } : {}) };
}
