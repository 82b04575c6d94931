import type { Now, Step } from '../step.ts';
import type { DynoEffect, DynoLife, DynoState } from './types.ts';

export type LifeStep = Step<DynoLife, DynoEffect>;

/** Goes to another state; `since` is told to everybody. */
export function enter(
  life: DynoLife,
  state: DynoState,
  now: Now,
  effects: readonly DynoEffect[] = [],
): LifeStep {
  return { state: { ...life, state, since: now.wall }, effects };
}

export function stay(life: DynoLife, effects: readonly DynoEffect[] = []): LifeStep {
  return { state: life, effects };
}

export function log(text: string): DynoEffect {
  return { tag: 'log', text };
}

export function signal(name: 'SIGTERM' | 'SIGKILL'): DynoEffect {
  return { tag: 'signal', signal: name };
}
