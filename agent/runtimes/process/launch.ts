import { MEMORY_VARIABLE } from '../../../src/dyno-sizes.ts';
import type { DynoSpec } from '../../../src/shell/runtime.ts';
import type { CgroupFiles, Launch } from '../keeper/protocol.ts';
import { MEMORY_HARD_FACTOR } from './cgroups.ts';
import type { DynoFiles } from './dyno-files.ts';
import type { Sandbox } from './sandbox.ts';
import { wrapperInput } from './wrapper.ts';

export const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';
const TMP = '/tmp';

type Place = {
  readonly files: DynoFiles;
  readonly uid: number | null;
  readonly port: number | null;
  readonly sandbox: Sandbox;
  readonly owner: string;
  readonly cgroup: CgroupFiles | null;
};

/** Everything the keeper needs to run a dyno. */
export function launchOf(spec: DynoSpec, { files, uid, port, sandbox, owner, cgroup }: Place): Launch {
  const tty = spec.attach?.tty ?? null;
  const { dyno, volumes, size } = spec;
  const confined = { dyno, files, uid, tty: tty !== null, processesMax: size.processes, owner };
  const { home, tmp, ...confinement } = sandbox.confine({ ...confined, cgroup, volumes });
  const env = {
    PATH: DEFAULT_PATH,
    ...(tmp === TMP ? {} : { TMPDIR: tmp }),
    ...spec.env,
    ...(tty === null ? {} : { TERM: tty.term }),
    HOME: home,
    DYNO: spec.name,
    PS: spec.name,
    [MEMORY_VARIABLE]: String(size.memoryMiB),
    ...(port === null ? {} : { PORT: String(port) }),
  };
  return {
    ...confinement,
    dyno,
    labels: spec.labels,
    secrets: wrapperInput(env, spec.command),
    stdio: stdioOf(spec, files),
    ownUid: uid,
    port,
    cgroup,
    memoryMiBMax: size.memoryMiB * MEMORY_HARD_FACTOR,
  };
}

function stdioOf({ attach }: Pick<DynoSpec, 'attach'>, files: DynoFiles): Launch['stdio'] {
  if (attach === null) return { tag: 'log', outPath: files.outPath };
  if (attach.tty === null) return { tag: 'pipes', outPath: files.outPath, inPath: files.inPath };
  const { columns, rows } = attach.tty;
  return { tag: 'tty', columns, rows };
}
