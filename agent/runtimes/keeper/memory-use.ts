import { readFileSync, writeFileSync } from 'node:fs';
import { familyOf, type ProcessEntry } from './process-tree.ts';
import type { CgroupFiles, Launch } from './protocol.ts';

/**
 * Whether a dyno had more memory than it may: the kernel says so, or without its help a look at its processes.
 * @param processes those of this host, asked for only when they are needed
 */
export function exceedsMemory(
  leader: number,
  { memoryMiBMax, cgroup }: Launch,
  processes: () => readonly ProcessEntry[],
): boolean {
  if (memoryMiBMax === undefined) return false;
  if (typeof cgroup?.oom === 'string') return Number(/^oom_kill (\d+)/m.exec(read(cgroup.oom))?.[1] ?? 0) > 0;
  const pids = familyOf(leader, processes());
  const total = (kiBOf: (pid: number) => number): number =>
    pids.reduce((sum, pid) => sum + kiBOf(pid), 0) / 1024;
  // What processes share counts for each in the cheap sum, which therefore only says whether a true one is needed.
  return total(residentKiB) > memoryMiBMax && total(sharedOutKiB) > memoryMiBMax;
}

/** Nothing may be born in a group that is being killed. */
export function forbidForks(cgroup: CgroupFiles | null | undefined): void {
  if (typeof cgroup?.pidsMax !== 'string') return;
  try {
    writeFileSync(cgroup.pidsMax, '0', { flag: 'r+' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function residentKiB(pid: number): number {
  const status = read(`/proc/${pid}/status`);
  return field(status, 'RssAnon') + field(status, 'RssShmem') + field(status, 'VmSwap');
}

/** Each page divided by the number of its users. */
function sharedOutKiB(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return field(rollup, 'Pss_Anon') + field(rollup, 'Pss_Shmem') + field(rollup, 'SwapPss');
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

/** A process may end, or a group be removed, between two looks: that reads as nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
