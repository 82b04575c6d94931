import { readFile } from 'node:fs/promises';
import type { DynoStats } from '../../../src/shell/runtime.ts';
import { familyOf, listProcesses, type ProcessEntry } from '../keeper/process-tree.ts';

/** USER_HZ is 100 on every Linux that Node runs on: the unit of times in /proc. */
const TICKS_PER_SECOND = 100;
/** Asked for all dynos in a row, the list of processes is read once. */
const LIST_MS = 500;

/** Memory and CPU of dynos, from /proc. Without a namespace, a daemon that left its dyno's session is not counted. */
export class StatsReader {
  #processes: readonly ProcessEntry[] = [];
  #readAt = -Infinity;

  /** PSS (memory as the kernel shares it out) and CPU time of all processes; null when there are none. */
  async read(leader: number): Promise<DynoStats | null> {
    if (performance.now() - this.#readAt > LIST_MS) this.#list();
    let pids = familyOf(leader, this.#processes);
    if (pids.length === 0) {
      // It may have started since.
      this.#list();
      pids = familyOf(leader, this.#processes);
    }
    if (pids.length === 0) return null;
    let [residentKiB, swappedKiB, ticks] = [0, 0, 0];
    for (const pid of pids) {
      const rollup = await readProc(`/proc/${pid}/smaps_rollup`);
      residentKiB += kiBOf(rollup, 'Pss');
      swappedKiB += kiBOf(rollup, 'SwapPss');
      ticks += await cpuTicks(pid);
    }
    return {
      rssMiB: residentKiB / 1024,
      swapMiB: swappedKiB / 1024,
      // Pages of files that nobody maps are the host's: only a control group knows whose they are.
      cacheMiB: 0,
      cpuSeconds: ticks / TICKS_PER_SECOND,
      processes: pids.length,
    };
  }

  #list(): void {
    this.#processes = listProcesses();
    this.#readAt = performance.now();
  }
}

function kiBOf(rollup: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
}

/** Of the process and of its children that ended. */
async function cpuTicks(pid: number): Promise<number> {
  const text = await readProc(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((total, ticks) => total + Number(ticks), 0);
}

/** A process may end between two looks: that reads as nothing. */
function readProc(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '');
}
