import type { DynoSpec } from '../../../src/shell/runtime.ts';
import type { Launch } from '../keeper/protocol.ts';
import type { DynoFiles } from './dyno-files.ts';
import type { Sandbox } from './sandbox.ts';
import { wrapperInput } from './wrapper.ts';

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';
const TMP = '/tmp';

/** Heroku bounds processes and threads by size: 256 at 512 MB, 512 at 1 GB. https://devcenter.heroku.com/articles/limits */
const PROCESSES_MIN = 256;
const PROCESSES_PER_MIB = 0.5;

type Place = {
  readonly files: DynoFiles;
  readonly uid: number | null;
  readonly port: number | null;
  readonly sandbox: Sandbox;
  readonly owner: string;
};

/** Everything the keeper needs to run a dyno. */
export function launchOf(spec: DynoSpec, { files, uid, port, sandbox, owner }: Place): Launch {
  const tty = spec.attach?.tty ?? null;
  const processesMax = Math.max(PROCESSES_MIN, Math.floor(spec.memoryMiB * PROCESSES_PER_MIB));
  const options = { dyno: spec.dyno, files, uid, tty: tty !== null, processesMax, owner };
  const { home, tmp, ...confinement } = sandbox.confine(options);
  const env = {
    PATH: DEFAULT_PATH,
    ...(tmp === TMP ? {} : { TMPDIR: tmp }),
    ...spec.env,
    ...(tty === null ? {} : { TERM: tty.term }),
    HOME: home,
    DYNO: spec.name,
    PS: spec.name,
    ...(port === null ? {} : { PORT: String(port) }),
  };
  return {
    ...confinement,
    dyno: spec.dyno,
    labels: spec.labels,
    secrets: wrapperInput(env, spec.command),
    stdio: stdioOf(spec, files),
    ownUid: uid,
    port,
  };
}

function stdioOf({ attach }: DynoSpec, files: DynoFiles): Launch['stdio'] {
  if (attach === null) return { tag: 'log', outPath: files.outPath };
  if (attach.tty === null) return { tag: 'pipes', outPath: files.outPath, inPath: files.inPath };
  const { columns, rows } = attach.tty;
  return { tag: 'tty', columns, rows };
}
