import type { Now } from '../../src/step.ts';

/** This process's time. Kept apart so that nothing else in the agent asks for it on its own. */
export function now(): Now {
  return { mono: performance.now(), wall: Date.now() };
}
