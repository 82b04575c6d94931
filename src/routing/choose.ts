import type { RouteTarget } from './table.ts';

/** Two numbers in [0, 1). */
export type Draw = readonly [number, number];

/**
 * The one of two random targets with fewer requests in flight; when even, the local one. Two choices keep the fullest
 * dyno almost as free as asking all of them would, and many routers do not run to the same one.
 * @see Mitzenmacher 2001, The Power of Two Choices
 */
export function chooseTarget(
  targets: readonly RouteTarget[],
  inFlight: (target: RouteTarget) => number,
  draw: Draw,
): RouteTarget | null {
  const count = targets.length;
  const first = targets[Math.floor(draw[0] * count)];
  if (first === undefined || count === 1) return first ?? null;
  // The second is drawn from the others.
  const at = Math.floor(draw[1] * (count - 1));
  const second = targets[at < targets.indexOf(first) ? at : at + 1] ?? first;
  const difference = inFlight(second) - inFlight(first);
  if (difference !== 0) return difference < 0 ? second : first;
  return second.local && !first.local ? second : first;
}
