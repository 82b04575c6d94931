import type { VolumeMount } from '../../../src/shell/runtime.ts';
import type { CgroupFiles, Containment, Launch } from '../keeper/protocol.ts';
import type { DynoFiles } from './dyno-files.ts';

export type ConfineOptions = {
  readonly dyno: string;
  readonly files: DynoFiles;
  /** The dyno's own user; null when the agent may not choose one. */
  readonly uid: number | null;
  readonly tty: boolean;
  /** Only enforced for a dyno with a user, or user namespace, of its own: the kernel counts by those. */
  readonly processesMax: number;
  /** KEEPER/DYNO, unique to this start of this dyno. */
  readonly owner: string;
  readonly cgroup: CgroupFiles | null;
  /** Their paths are of the dyno's view. */
  readonly volumes: readonly VolumeMount[];
};

/** What a sandbox adds to a launch. */
export type Confinement = Pick<Launch, 'argv' | 'cwd' | 'env' | 'uid'> & {
  readonly containment: Containment;
  /** Where the dyno sees its copy of the slug. */
  readonly home: string;
  /** Where it may leave temporary files. */
  readonly tmp: string;
};
