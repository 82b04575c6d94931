import { memoryOf, type DynoUsage } from '../dyno-usage.ts';

/** Ours: what a dyno uses just now. */
export type DynoUsageResource = {
  /** Its id. */
  readonly dyno: string;
  /** What counts towards the quota. */
  readonly memory_mib: number;
  readonly memory_quota_mib: number;
  /** Of one core: 1 is one core all the time. */
  readonly load_avg_1m: number;
  readonly load_avg_5m: number;
  readonly load_avg_15m: number;
  readonly processes: number;
};

export function usageResource({ dyno, stats, load, quotaMiB }: DynoUsage): DynoUsageResource {
  return {
    dyno,
    memory_mib: toHundredths(memoryOf(stats)),
    memory_quota_mib: quotaMiB,
    load_avg_1m: toHundredths(load[0]),
    load_avg_5m: toHundredths(load[1]),
    load_avg_15m: toHundredths(load[2]),
    processes: stats.processes,
  };
}

function toHundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
