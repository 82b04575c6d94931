import type { DynoStats } from '../../../src/shell/runtime.ts';
import { engineError, statusOf, within } from '../../lib/engine.ts';
import type { DockerDynoParts } from './docker-dyno.ts';

const ASK_MS_MAX = 15_000;
const MIB = 2 ** 20;

/** What the Engine answers, as far as it is used: of cgroup v1 or v2. */
type EngineStats = {
  readonly memory_stats?: { readonly stats?: Readonly<Record<string, number>>; readonly usage?: number };
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly pids_stats?: { readonly current?: number };
};

/** What a dyno uses now; null when it does not run any more. */
export async function measure({
  container,
  name,
}: Pick<DockerDynoParts, 'container' | 'name'>): Promise<DynoStats | null> {
  try {
    const options = { stream: false, 'one-shot': true } as const;
    return parseStats(await within(ASK_MS_MAX, 'for statistics', container.stats(options)));
  } catch (error) {
    if (statusOf(error) === 404 || statusOf(error) === 409) return null;
    throw engineError(`Cannot measure "${name}"`, error);
  }
}

/** Null when the container does not run: the Engine answers, but with nothing in it. */
function parseStats(answer: unknown): DynoStats | null {
  const { memory_stats: memory, cpu_stats: cpu, pids_stats: pids } = answer as EngineStats;
  const stats = memory?.stats;
  if (memory?.usage === undefined || stats === undefined) return null;
  // v1 names them rss, cache, swap, and counts tmpfs as cache; v2 anon, file (with shmem), and no swap here.
  const shared = stats['shmem'] ?? 0;
  const isV1 = stats['rss'] !== undefined;
  const rss = isV1 ? (stats['total_rss'] ?? stats['rss'] ?? 0) : (stats['anon'] ?? 0) + shared;
  const cache = isV1 ? (stats['total_cache'] ?? stats['cache'] ?? 0) : (stats['file'] ?? 0) - shared;
  const swap = stats['total_swap'] ?? stats['swap'] ?? 0;
  return {
    rssMiB: rss / MIB,
    swapMiB: swap / MIB,
    cacheMiB: Math.max(0, cache) / MIB,
    cpuSeconds: (cpu?.cpu_usage?.total_usage ?? 0) / 1e9,
    processes: pids?.current ?? 0,
  };
}
