import type { Logger } from 'pino';
import type { Containment, Launch } from '../keeper/protocol.ts';
import { bubblewrapFailure, confineWithBubblewrap } from './bubblewrap.ts';
import type { DynoFiles } from './dyno-files.ts';
import { wrapperArgv } from './wrapper.ts';

/** Environment variable that marks the processes of a dyno which has no namespace. */
const OWNER = 'KITH_OWNER';

export type ConfineOptions = {
  readonly dyno: string;
  readonly files: DynoFiles;
  /** The dyno's own user; null when the agent may not choose one. */
  readonly uid: number | null;
  readonly tty: boolean;
  /** Only enforced for a dyno with a user of its own: the kernel counts per user. */
  readonly processesMax: number;
  /** KEEPER/DYNO, unique to this start of this dyno. */
  readonly owner: string;
};

/** What a sandbox adds to a launch. */
export type Confinement = Pick<Launch, 'argv' | 'cwd' | 'env' | 'uid'> & {
  readonly containment: Containment;
  /** Where the dyno sees its copy of the slug. */
  readonly home: string;
  /** Where it may leave temporary files. */
  readonly tmp: string;
};

export type Sandbox = {
  readonly kind: 'bubblewrap' | 'none';
  readonly isolation: string;
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
    const reason = await bubblewrapFailure(scratchDir, ownUsers);
    if (reason === null) {
      const own = ownUsers ? 'own files, processes, IPC and user' : 'own files, processes and IPC';
      const isolation = `bubblewrap: ${own}; shared network; no memory limit`;
      return { kind: 'bubblewrap', isolation, confine: confineWithBubblewrap };
    }
    log.warn({ reason }, 'bubblewrap does not work here: dynos get no namespaces');
  }
  const own = ownUsers ? 'own session, files and user' : 'own session and files';
  const isolation = `${own}; no namespaces; shared network; no memory limit`;
  return { kind: 'none', isolation, confine: confineWithoutNamespaces };
}

function confineWithoutNamespaces({ files, uid, tty, processesMax, owner }: ConfineOptions): Confinement {
  const wrapper = wrapperArgv(uid === null ? null : processesMax);
  return {
    argv: tty ? ['setsid', '--ctty', ...wrapper] : wrapper,
    cwd: files.app,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', [OWNER]: owner },
    uid,
    containment: { tag: 'marker', marker: ownerMarker(owner), ownUid: uid },
    home: files.app,
    tmp: files.tmp,
  };
}
