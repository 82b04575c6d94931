import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DynoSize } from '../../../src/dyno-sizes.ts';
import type { DynoStats } from '../../../src/shell/runtime.ts';
import { signalAll } from '../keeper/process-tree.ts';
import type { CgroupFiles } from '../keeper/protocol.ts';
import { makeHierarchies, type Controller, type Hierarchies } from './cgroup-hierarchies.ts';
import { usageOf } from './cgroup-usage.ts';
import { joinCgroups } from './join-cgroups.ts';
import { changeUser } from './users.ts';

const MIB = 1024 * 1024;
/** bubblewrap and what enters a dyno beside it are not the app's. */
const PROCESSES_OVERHEAD = 8;
const REMOVE_TRIES_MAX = 100;
const PROBE_MS_MAX = 10_000;
const PROBE_UID = 65_534;
const PROBE_SIZE: DynoSize = { name: 'probe', memoryMiB: 64, cpuShares: 1_024, processes: 16 };

/** Of its quota: beyond it the kernel ends the dyno. Heroku's R15 comes at the same point. */
export const MEMORY_HARD_FACTOR = 2;

/** The kernel's bounds on dynos: a control group for each, in every hierarchy that this peer may use. */
export class Cgroups {
  readonly version: 1 | 2;
  readonly #parents: Hierarchies['parents'];
  readonly #dirs: readonly string[];

  private constructor({ version, parents }: Hierarchies) {
    this.version = version;
    this.#parents = parents;
    this.#dirs = [...new Set(Object.values(parents))];
  }

  /** Null where groups cannot be made and joined just as a dyno would, which is tried. */
  static async open(owner: string, ownUsers: boolean): Promise<Cgroups | null> {
    const hierarchies = await makeHierarchies(owner).catch(() => null);
    if (hierarchies === null) return null;
    const cgroups = new Cgroups(hierarchies);
    const probe = `probe-${randomUUID()}`;
    try {
      const files = await cgroups.make(probe, PROBE_SIZE);
      const [file, ...args] = [...joinCgroups(files), ...changeUser(ownUsers ? PROBE_UID : null), 'true'];
      await promisify(execFile)(file ?? '', args, { timeout: PROBE_MS_MAX });
      return cgroups;
    } catch {
      return null;
    } finally {
      await cgroups.remove(probe).catch(() => {});
    }
  }

  bounds(controller: Controller): boolean {
    return this.#parents[controller] !== undefined;
  }

  /** Makes the group of a dyno, with the bounds of its size. */
  async make(dyno: string, size: DynoSize): Promise<CgroupFiles> {
    for (const dir of this.#dirs) await mkdir(join(dir, dyno), { recursive: true });
    for (const [controller, name, value] of this.#settings(size)) {
      const parent = this.#parents[controller];
      if (parent === undefined) continue;
      const written = writeFile(join(parent, dyno, name), value);
      // Kernels may do without swap accounting, and have more or fewer of the finer settings.
      await (ESSENTIAL.has(name) ? written : written.catch(() => {}));
    }
    return this.#files(dyno);
  }

  /** Null for a dyno that a former agent started without one. */
  find(dyno: string): CgroupFiles | null {
    const files = this.#files(dyno);
    return files.procs.every((path) => existsSync(path)) ? files : null;
  }

  /** Null for a dyno that has no group, or none that tells of its memory. */
  async usage(dyno: string): Promise<DynoStats | null> {
    const { memory, cpuacct } = this.#parents;
    if (memory === undefined || cpuacct === undefined) return null;
    const read = (dir: string, name: string): Promise<string> =>
      readFile(join(dir, dyno, name), 'utf8').catch(() => '');
    const procs = await read(memory, 'cgroup.procs');
    if (procs === '') return null;
    const [stat, swap, cpu] = await Promise.all([
      read(memory, 'memory.stat'),
      this.version === 1 ? '' : read(memory, 'memory.swap.current'),
      read(cpuacct, this.version === 1 ? 'cpuacct.usage' : 'cpu.stat'),
    ]);
    return usageOf(this.version, { stat, swap, cpu, procs });
  }

  /** Ends what may be left in it. */
  async remove(dyno: string): Promise<void> {
    for (const parent of this.#dirs) {
      const dir = join(parent, dyno);
      if (this.#parents.pids === parent) await writeFile(join(dir, 'pids.max'), '0').catch(() => {});
      await removeGroup(dir);
    }
  }

  /** Groups that former agents and keepers left. */
  async leftovers(kept: ReadonlySet<string>): Promise<string[]> {
    const lists = await Promise.all(
      this.#dirs.map((dir) => readdir(dir, { withFileTypes: true }).catch(() => [])),
    );
    const names = lists.flat().flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
    return [...new Set(names)].filter((name) => !kept.has(name));
  }

  /** Once no dyno is left. */
  async close(): Promise<void> {
    for (const dyno of await this.leftovers(new Set())) await this.remove(dyno);
    for (const dir of this.#dirs) await removeGroup(dir);
  }

  #files(dyno: string): CgroupFiles {
    const { memory, pids } = this.#parents;
    const oom = this.version === 1 ? 'memory.oom_control' : 'memory.events';
    return {
      procs: this.#dirs.map((dir) => join(dir, dyno, 'cgroup.procs')),
      oom: memory === undefined ? null : join(memory, dyno, oom),
      pidsMax: pids === undefined ? null : join(pids, dyno, 'pids.max'),
    };
  }

  /** Those that a kernel does not have are passed over, but for the first: see `make`. */
  #settings(size: DynoSize): readonly (readonly [Controller, string, string])[] {
    const hard = String(size.memoryMiB * MIB * MEMORY_HARD_FACTOR);
    const processes = String(size.processes + PROCESSES_OVERHEAD);
    if (this.version === 1) {
      return [
        ['memory', 'memory.limit_in_bytes', hard],
        ['memory', 'memory.memsw.limit_in_bytes', hard],
        ['pids', 'pids.max', processes],
        ['cpu', 'cpu.shares', String(size.cpuShares)],
      ];
    }
    return [
      ['memory', 'memory.max', hard],
      ['memory', 'memory.swap.max', '0'],
      ['memory', 'memory.oom.group', '1'],
      ['pids', 'pids.max', processes],
      ['cpu', 'cpu.weight', String(weightOf(size.cpuShares))],
    ];
  }
}

const ESSENTIAL: ReadonlySet<string> = new Set(['memory.limit_in_bytes', 'memory.max', 'pids.max']);

/** Shares go from 2 to 262,144, weights from 1 to 10,000. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9_999) / 262_142);
}

/** A group can be removed only when its last process is gone to the end, which takes the kernel a moment. */
async function removeGroup(dir: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await rmdir(dir);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      if (tries === REMOVE_TRIES_MAX) throw error;
    }
    const procs = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
    signalAll(procs.split('\n').filter(Boolean).map(Number), 'SIGKILL');
    await sleep(20);
  }
}
