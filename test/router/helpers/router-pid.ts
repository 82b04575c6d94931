import { readdirSync, readFileSync } from 'node:fs';

/** The process id of the router that serves this data directory: its command line names it. */
export function routerPid(dir: string): number {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      if (args.includes(dir) && args.some((arg) => arg.endsWith('agent/router/main.ts')))
        return Number(entry);
    } catch {
      continue; // It ended while we looked.
    }
  }
  throw new Error(`No router process serves "${dir}"`);
}

/** Resident memory of a process in MiB. */
export function rssMiB(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}
