import type { ContainerCreateOptions } from 'dockerode';
import { MEMORY_VARIABLE } from '../../../src/dyno-sizes.ts';
import { PlatformError } from '../../../src/errors.ts';
import type { DynoSpec } from '../../../src/shell/runtime.ts';
import type { Berth } from './berths.ts';
import { diskQuota } from './isolation.ts';
import { LABEL, ownedBy } from './labels.ts';
import { DYNO_UID, LAUNCH_PATH, wrapperArgv } from './wrapper.ts';

const MIB = 2 ** 20;
/** Beyond the quota a dyno is told of (R14), beyond twice of it the kernel ends it (R15). */
const HARD_LIMIT = 2;
const OPEN_FILES = 10_000;
/** What /tmp holds counts as the dyno's memory. */
const TMP_SHARE = 0.5;
const SHM_MIB = 64;
/** The first victims when the host itself runs out of memory. */
const OOM_SCORE = 500;
/** Two files of it are as much of a dyno's output as the Engine keeps for an agent that is not there. */
const LOG_FILE = '16m';
const NAME_CHARS_MAX = 63;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type Place = {
  readonly peer: string;
  readonly image: string;
  /** User that the image itself asks for; empty when none. */
  readonly imageUser: string;
  readonly berth: Berth;
  readonly port: number | null;
  /** Path of this host. */
  readonly launchFile: string;
  /** MiB that a dyno may write; null where nothing bounds it. */
  readonly diskMiB: number | null;
};

/** Everything that a dyno's process finds in its environment. */
export function dynoEnv(spec: DynoSpec, port: number | null): Record<string, string> {
  const isSlug = spec.slug.format === 'slug';
  const term = spec.attach?.tty?.term;
  return {
    ...(isSlug ? { PATH: DEFAULT_PATH } : {}),
    ...spec.env,
    ...(term === undefined ? {} : { TERM: term }),
    ...(isSlug ? { HOME: '/app' } : {}),
    DYNO: spec.name,
    PS: spec.name,
    [MEMORY_VARIABLE]: String(spec.size.memoryMiB),
    ...(port === null ? {} : { PORT: String(port) }),
  };
}

/** What the Engine is asked for. */
export function containerOf(spec: DynoSpec, place: Place): ContainerCreateOptions {
  const { peer, image, berth, launchFile } = place;
  const isSlug = spec.slug.format === 'slug';
  return {
    name: `kith-${peer}-${spec.dyno}`.slice(0, NAME_CHARS_MAX + peer.length),
    Image: image,
    Labels: labelsOf(spec, place),
    ...(isSlug ? slugProgram(spec) : imageProgram(spec, place)),
    ...stdioOf(spec),
    HostConfig: {
      NetworkMode: `container:${berth.id}`,
      Init: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ...limitsOf(spec, place),
      Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${tmpMib(spec)}m` },
      ShmSize: SHM_MIB * MIB,
      LogConfig:
        spec.attach === null
          ? { Type: 'local', Config: { 'max-size': LOG_FILE, 'max-file': '2', compress: 'false' } }
          : { Type: 'none', Config: {} },
      Mounts: [
        ...(isSlug ? [bind(launchFile, LAUNCH_PATH, true)] : []),
        ...spec.volumes.map(({ source, path }) => bind(source, path, false)),
      ],
    },
  };
}

function limitsOf({ size }: DynoSpec, { diskMiB }: Place): ContainerCreateOptions['HostConfig'] {
  return {
    Memory: HARD_LIMIT * size.memoryMiB * MIB,
    // Memory and swap together: no swap beside.
    MemorySwap: HARD_LIMIT * size.memoryMiB * MIB,
    MemoryReservation: size.memoryMiB * MIB,
    CpuShares: size.cpuShares,
    PidsLimit: size.processes,
    OomScoreAdj: OOM_SCORE,
    Ulimits: [
      { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    ...diskQuota(diskMiB),
  };
}

function labelsOf(spec: DynoSpec, { peer, berth, port }: Place): Record<string, string> {
  return {
    ...ownedBy(peer, 'dyno'),
    [LABEL.dyno]: spec.dyno,
    [LABEL.app]: spec.app,
    [LABEL.name]: spec.name,
    [LABEL.labels]: JSON.stringify(spec.labels),
    [LABEL.berth]: berth.id,
    [LABEL.slug]: spec.slug.id,
    [LABEL.format]: spec.slug.format,
    ...(port === null ? {} : { [LABEL.port]: String(port) }),
    ...(spec.attach === null ? {} : { [LABEL.attached]: 'yes' }),
  };
}

function slugProgram(spec: DynoSpec): ContainerCreateOptions {
  return {
    Entrypoint: wrapperArgv({ tty: spec.attach?.tty ?? null }),
    Cmd: [],
    // Of the config vars nothing: whoever may ask the Engine would see them.
    Env: [],
    User: `${DYNO_UID}:${DYNO_UID}`,
    WorkingDir: '/app',
  };
}

/** An image need not hold a shell: its program gets its environment from the Engine. */
function imageProgram(spec: DynoSpec, { imageUser, port }: Place): ContainerCreateOptions {
  const isRoot = /^(root|0)?(:|$)/.test(imageUser);
  return {
    Cmd: commandOf(spec.command),
    Env: Object.entries(dynoEnv(spec, port)).map(([name, value]) => `${name}=${value}`),
    User: isRoot ? `${DYNO_UID}:${DYNO_UID}` : imageUser,
  };
}

/** A JSON array is a program and its arguments; anything else is for a shell. */
function commandOf(command: string): string[] {
  if (!command.trimStart().startsWith('[')) return ['/bin/sh', '-c', command];
  try {
    const words: unknown = JSON.parse(command);
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  } catch {
    // Told below, together with arrays of anything but words.
  }
  const message = `Cannot start "${command}": it begins like a JSON array of words, but is none`;
  throw new PlatformError('invalid_params', message, { hint: 'Write it as ["program", "argument"]' });
}

function stdioOf({ attach }: DynoSpec): ContainerCreateOptions {
  if (attach === null) return { AttachStdout: false, AttachStderr: false, OpenStdin: false };
  const all = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
  return { ...all, OpenStdin: true, StdinOnce: true, Tty: attach.tty !== null };
}

function tmpMib({ size }: DynoSpec): number {
  return Math.round(size.memoryMiB * TMP_SHARE);
}

function bind(
  Source: string,
  Target: string,
  ReadOnly: boolean,
): { Type: 'bind'; Source: string; Target: string; ReadOnly: boolean } {
  return { Type: 'bind', Source, Target, ReadOnly };
}
