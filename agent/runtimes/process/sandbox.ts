import type { Logger } from 'pino';
import { bubblewrapFailure, bubblewrapFeatures, confineWithBubblewrap } from './bubblewrap.ts';
import type { Cgroups } from './cgroups.ts';
import type { ConfineOptions, Confinement } from './confinement.ts';
import { joinCgroups } from './join-cgroups.ts';
import { changeUser } from './users.ts';
import { wrapperArgv } from './wrapper.ts';

/** Environment variable that marks the processes of a dyno which has no namespace. */
const OWNER = 'KITH_OWNER';

export type Sandbox = {
  readonly kind: 'bubblewrap' | 'none';
  /** What dynos have to themselves. */
  readonly isolation: string;
  /** By rlimit, where no control group does it. */
  readonly boundsProcesses: boolean;
  confine(options: ConfineOptions): Confinement;
};

/** `NAME=value` in the environment of the dynos without namespace of one keeper, or its beginning. */
export function ownerMarker(owner: string): string {
  return `${OWNER}=${owner}`;
}

/** bubblewrap when it truly works here, found out by running it; otherwise what there is without it. */
export async function openSandbox(
  mode: 'auto' | 'off',
  scratchDir: string,
  ownUsers: boolean,
  log: Logger,
): Promise<Sandbox> {
  if (mode === 'auto') {
    const features = await bubblewrapFeatures();
    const reason = await bubblewrapFailure(scratchDir, ownUsers, features);
    if (reason === null) {
      const own = ownUsers ? 'own files, processes, IPC and user' : 'own files, processes and IPC';
      const isolation = `bubblewrap: ${own}; shared network`;
      const confine = (options: ConfineOptions): Confinement => confineWithBubblewrap(options, features);
      const boundsProcesses = ownUsers || features.countsProcesses;
      return { kind: 'bubblewrap', isolation, boundsProcesses, confine };
    }
    log.warn({ reason }, 'bubblewrap does not work here: dynos get no namespaces');
  }
  const own = ownUsers ? 'own session, files and user' : 'own session and files';
  const isolation = `${own}; no namespaces; shared network`;
  return { kind: 'none', isolation, boundsProcesses: ownUsers, confine: confineWithoutNamespaces };
}

/** The second half of the sentence for `kith peers`: which limits hold, and by what. */
export function limitsSentence(cgroups: Cgroups | null, { boundsProcesses }: Sandbox): string {
  const by = `by cgroup v${cgroups?.version}`;
  const processes =
    cgroups?.bounds('pids') === true ? `processes ${by}` : boundsProcesses ? 'processes by rlimit' : null;
  return [
    cgroups?.bounds('memory') === true ? `memory ${by}` : 'memory watched, killed when over',
    processes ?? 'no process limit',
    cgroups?.bounds('cpu') === true ? `CPU shares ${by}` : 'no CPU shares',
    'no disk limit',
  ].join('; ');
}

function confineWithoutNamespaces(options: ConfineOptions): Confinement {
  const { files, uid, tty, processesMax, owner, cgroup, volumes } = options;
  // Only the peer's own user may put a process into a group: there the change of user comes after that.
  const wrapper = [
    ...joinCgroups(cgroup),
    ...(cgroup === null ? [] : changeUser(uid)),
    ...wrapperArgv(uid === null ? null : processesMax),
  ];
  return {
    argv: [...(tty ? ['setsid', '--ctty'] : []), ...wrapper] as unknown as Confinement['argv'],
    cwd: files.app,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', [OWNER]: owner },
    uid: cgroup === null ? uid : null,
    // All dynos with a volume run as its user: who has that user need not be of this one.
    containment: { tag: 'marker', marker: ownerMarker(owner), ownUid: volumes.length === 0 ? uid : null },
    home: files.app,
    tmp: files.tmp,
  };
}
