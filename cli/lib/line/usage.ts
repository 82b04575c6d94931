import type { DynoUsageResource } from '../../../src/platform/dyno-usage.ts';
import type { Client } from '../api/client.ts';

export type UsageByDyno = ReadonlyMap<string, DynoUsageResource>;

/** What an app's dynos use. It is beside the point of what is shown with it: where it cannot be had, nothing is shown. */
export async function usageOf(api: Client, app: string): Promise<UsageByDyno> {
  try {
    const found = await api.get<readonly DynoUsageResource[]>(`/kith/apps/${encodeURIComponent(app)}/usage`);
    return new Map(found.map((usage) => [usage.dyno, usage]));
  } catch {
    return new Map();
  }
}

/** `45/512 MB, load 0.02`; empty when nothing is known. */
export function formatUsage(usage: DynoUsageResource | undefined): string {
  if (usage === undefined) return '';
  const { memory_mib: used, memory_quota_mib: quota, load_avg_1m: load } = usage;
  return `${Math.round(used)}/${quota} MB, load ${load.toFixed(2)}`;
}
