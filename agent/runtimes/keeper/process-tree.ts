import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Containment } from './protocol.ts';

export type ProcessEntry = {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
};

/** Every process of a dyno that can be signalled; empty when all are gone. */
export function dynoProcesses(leader: number, containment: Containment): number[] {
  const all = listProcesses();
  if (containment.tag === 'namespace') {
    // bubblewrap itself and the init it puts into the namespace would end the dyno when signalled: only SIGKILL may.
    const inits = new Set(all.filter((process) => process.parent === leader).map((process) => process.pid));
    return descendants(leader, all).filter((pid) => !inits.has(pid));
  }
  const found = new Set(familyOf(leader, all));
  if (containment.tag === 'family') return [...found];
  for (const { pid } of all) {
    if (found.has(pid) || pid === process.pid) continue;
    if (isUidOf(pid, containment.ownUid) || hasMarker(pid, containment.marker)) found.add(pid);
  }
  return [...found];
}

/** A process, all that descend from it, and those of its session or group. */
export function familyOf(leader: number, all: readonly ProcessEntry[]): number[] {
  const found = new Set(descendants(leader, all));
  for (const { pid, group, session } of all) {
    if (pid === leader || group === leader || session === leader) found.add(pid);
  }
  return [...found];
}

/** What SIGKILL must reach so that nothing of the dyno is left. */
export function killTargets(leader: number, containment: Containment): number[] {
  if (containment.tag !== 'namespace') return dynoProcesses(leader, containment);
  // The kernel kills a namespace whole when its init dies; before there is one, bubblewrap is all there is.
  const inits = listProcesses().filter((process) => process.parent === leader);
  return inits.length > 0 ? inits.map((process) => process.pid) : [leader];
}

/** Processes that carry `marker` (`NAME=value`, or the beginning of it) in their environment. */
export function markedProcesses(marker: string): number[] {
  return listProcesses().flatMap(({ pid }) => (pid !== process.pid && hasMarker(pid, marker) ? [pid] : []));
}

/** Processes that are gone meanwhile, or are not ours, are passed over. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    }
  }
}

function descendants(root: number, all: readonly ProcessEntry[]): number[] {
  const found: number[] = [];
  let parents = new Set([root]);
  while (parents.size > 0) {
    const children = all.filter((process) => parents.has(process.parent)).map((process) => process.pid);
    found.push(...children);
    parents = new Set(children);
  }
  return found;
}

/** All living processes of this host; zombies left out. */
export function listProcesses(): ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = readProc(`/proc/${name}/stat`);
    // The command's name, in parentheses, may hold anything: the fields begin after the last one.
    const [state, parent, group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || parent === undefined || state === 'Z' || state === 'X') return [];
    return [{ pid: Number(name), parent: Number(parent), group: Number(group), session: Number(session) }];
  });
}

function hasMarker(pid: number, marker: string): boolean {
  return `\0${readProc(`/proc/${pid}/environ`)}`.includes(`\0${marker}`);
}

function isUidOf(pid: number, uid: number | null): boolean {
  return uid !== null && statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === uid;
}

/** A process may end, or not be ours to look at, between two looks: that reads as nothing. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
