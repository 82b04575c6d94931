import type { Load } from '../dyno-usage.ts';

const WINDOWS_MS = [60_000, 300_000, 900_000] as const;
const IDLE: Load = [0, 0, 0];

/** CPU time that a dyno had used at a moment of this process's clock, in ms. */
export type CpuMark = { readonly cpuSeconds: number; readonly at: number };

/**
 * Load averages that fade as those of `uptime` do, made from CPU time, which every runtime knows, rather than from the
 * length of a run queue, which none does.
 * @param before the mark of the last look and the load then; at the launch of the dyno, no CPU time and no load
 */
export function nextLoad(before: CpuMark & { readonly load?: Load }, now: CpuMark): Load {
  const load = before.load ?? IDLE;
  const elapsedMs = now.at - before.at;
  if (elapsedMs <= 0) return load;
  const busy = Math.max(0, now.cpuSeconds - before.cpuSeconds) / (elapsedMs / 1_000);
  const fade = (at: 0 | 1 | 2): number => {
    const kept = Math.exp(-elapsedMs / WINDOWS_MS[at]);
    return load[at] * kept + busy * (1 - kept);
  };
  return [fade(0), fade(1), fade(2)];
}
