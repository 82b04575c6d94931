import type { DynoStats } from '../../../src/shell/runtime.ts';

const MIB = 1024 * 1024;

/** Contents of a group's files; `swap` is a file of its own in version 2 only. */
type Texts = { readonly stat: string; readonly swap: string; readonly cpu: string; readonly procs: string };

/** Shared memory and tmpfs are counted as resident: unlike other cached pages they cannot be given back. */
export function usageOf(version: 1 | 2, { stat, swap, cpu, procs }: Texts): DynoStats {
  const bytes = (name: string): number => numberOf(stat, name);
  const processes = procs.split('\n').filter((line) => line !== '').length;
  if (version === 1) {
    return {
      rssMiB: (bytes('total_rss') + bytes('total_shmem')) / MIB,
      swapMiB: bytes('total_swap') / MIB,
      cacheMiB: (bytes('total_cache') - bytes('total_shmem')) / MIB,
      cpuSeconds: Number(cpu.trim()) / 1e9,
      processes,
    };
  }
  return {
    rssMiB: (bytes('anon') + bytes('shmem')) / MIB,
    swapMiB: Number(swap.trim()) / MIB,
    cacheMiB: (bytes('file') - bytes('shmem')) / MIB,
    cpuSeconds: numberOf(cpu, 'usage_usec') / 1e6,
    processes,
  };
}

function numberOf(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
