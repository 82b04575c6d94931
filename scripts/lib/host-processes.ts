import { readdirSync, readFileSync } from 'node:fs';

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

/** The host is gone: SIGKILL to all of it, as near to one moment as can be. */
export function killHost(dir: string): void {
  for (const pid of hostProcesses(dir)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // A dyno dies with its keeper: gone already is what we want.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
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
