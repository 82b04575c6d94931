import type { DynoId } from './ids.ts';
import type { DynoStats } from './shell/runtime.ts';

/** What a dyno kept busy of the CPUs over the last 1, 5 and 15 minutes: 1 is one core all the time. */
export type Load = readonly [one: number, five: number, fifteen: number];

/** What one dyno uses of its host, and what it may. */
export type DynoUsage = {
  readonly dyno: DynoId;
  readonly stats: DynoStats;
  readonly load: Load;
  readonly quotaMiB: number;
};

/** What counts towards the quota: the page cache does not, since the kernel takes it back when it is needed. */
export function memoryOf({ rssMiB, swapMiB }: DynoStats): number {
  return rssMiB + swapMiB;
}
