import { readdirSync, readFileSync } from 'node:fs';

const GONE_MS = 10_000;
const LOOK_MS = 5;

/**
 * Every process of one peer: agent, router, keeper, and all dynos below the keeper. What dies when a host dies.
 * @param dir the peer's data directory, which the peer's own processes name in their command lines
 */
export function hostProcesses(dir: string): readonly number[] {
  const all = processTable();
  const found = new Set(
    all
      .filter(({ args }) => args.some((arg) => arg === dir || arg.startsWith(`${dir}/`)))
      .map(({ pid }) => pid),
  );
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  found.delete(process.pid);
  return [...found];
}

/**
 * The host is gone: SIGKILL to all of it, as near to one moment as can be. Returns once nothing of it runs, so that what
 * comes next finds its files and ports left alone.
 */
export function killHost(dir: string): void {
  const doomed = stopAll(dir);
  for (const pid of doomed) signal(pid, 'SIGKILL');
  const until = performance.now() + GONE_MS;
  while (doomed.some(runs) && performance.now() < until) pause(LOOK_MS);
}

/** Stops everything before anything dies: what is started meanwhile would be nobody's child afterwards, and not found. */
function stopAll(dir: string): readonly number[] {
  const stopped = new Set<number>();
  for (let before = -1; before !== stopped.size;) {
    before = stopped.size;
    for (const pid of hostProcesses(dir)) {
      if (stopped.has(pid)) continue;
      signal(pid, 'SIGSTOP');
      stopped.add(pid);
    }
  }
  return [...stopped];
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended while we looked: gone already is what we want.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A zombie does not: its parent, which may be this very process, has yet to hear of its end. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

type Entry = { readonly pid: number; readonly parent: number; readonly args: readonly string[] };

function processTable(): readonly Entry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        return [{ pid: Number(name), parent, args }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}
