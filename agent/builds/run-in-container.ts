import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { PlatformError } from '../../src/errors.ts';
import { BUILD_LABEL, networkSettings, removeContainer, type BuildEngine } from './build-engine.ts';
import { eachLine } from './each-line.ts';
import type { Ended, OnLine } from './sandbox.ts';
import type { SandboxCommand } from './sandbox.ts';

const MIB = 2 ** 20;
const PIDS_MAX = 4_096;
/** Dynos have 1024 and more: a build may take what they leave. */
const CPU_SHARES = 256;
const TMP_MIB = 512;
/** Longer than any build may take: for the one whose agent has died. */
const LIFE_SECONDS_MAX = 3_600;
/** The Engine may know that a container has ended before it knows that its memory was used up. */
const TOLD_MS = 1_000;
const ASK_EVERY_MS = 50;
/** Status of a program that a signal ended: 128 and the signal's number. */
const SIGKILL_STATUS = 137;

/**
 * Runs a command in a container of the stack image that sees the command's folders at their own paths and nothing else of
 * this host; `onLine` gets its output by lines. The container is gone when this settles, and ended when `signal` aborts.
 */
export async function runInContainer(
  engine: BuildEngine,
  uid: number | null,
  command: SandboxCommand,
  onLine: OnLine,
  signal: AbortSignal,
): Promise<Ended> {
  signal.throwIfAborted();
  const container = await engine.docker.createContainer(containerOf(engine, uid, command));
  const onAbort = (): void => {
    // One that does not run is not to be killed; what lives on is removed below, or by the next agent.
    container.kill().catch(() => undefined);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    engine.docker.modem.demuxStream(stream, stdout, stderr);
    stream.once('close', () => [stdout, stderr].map((output) => output.end()));
    stream.once('end', () => [stdout, stderr].map((output) => output.end()));
    const lines = Promise.all([
      eachLine(stdout, (line) => onLine(line, 'stdout')),
      eachLine(stderr, (line) => onLine(line, 'stderr')),
    ]);
    signal.throwIfAborted();
    await container.start();
    // An abort while it was starting found nothing to kill.
    if (signal.aborted) onAbort();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    await lines;
    if (signal.aborted) return { status: null, signal: 'SIGKILL' };
    if (StatusCode === SIGKILL_STATUS && (await isOutOfMemory(container))) {
      onLine(` !     The build needed more than ${engine.memoryMiB} MiB of memory`, 'stderr');
    }
    return { status: StatusCode, signal: null };
  } catch (error) {
    if (signal.aborted) return { status: null, signal: 'SIGKILL' };
    if (!isLost(error)) throw error;
    throw new PlatformError('build_failed', 'the Docker Engine went away in the middle of the build', {
      hint: 'Push again: git commit --allow-empty -m again',
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Of an Engine that is away nothing can be removed: the end of the build tries again, and the next agent.
    await removeContainer(container).catch(() => undefined);
  }
}

function containerOf(
  { image, network, owner, memoryMiB }: BuildEngine,
  uid: number | null,
  { script, args, env, writable, readable, shown, isOffline = false }: SandboxCommand,
): Docker.ContainerCreateOptions {
  const bind = (from: string, at: string, isReadOnly: boolean): Docker.MountSettings => ({
    Type: 'bind',
    Source: from,
    Target: at,
    ReadOnly: isReadOnly,
  });
  const readOnly = [...readable, ...networkSettings(env)];
  return {
    Image: image,
    Entrypoint: ['timeout', '--signal=KILL', String(LIFE_SECONDS_MAX), 'bash', '-c', script, 'bash'],
    Cmd: [...args],
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    User: userOf(uid),
    WorkingDir: '/',
    Labels: { [BUILD_LABEL]: owner },
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      NetworkMode: isOffline ? 'none' : network,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Memory: memoryMiB * MIB,
      MemorySwap: memoryMiB * MIB,
      CpuShares: CPU_SHARES,
      PidsLimit: PIDS_MAX,
      OomScoreAdj: 500,
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
      Tmpfs: {
        '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${TMP_MIB}m`,
        '/var/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${TMP_MIB}m`,
      },
      LogConfig: { Type: 'none', Config: {} },
      // A folder shown inside a writable one comes after it.
      Mounts: [
        ...readOnly.map((path) => bind(path, path, true)),
        ...writable.map((path) => bind(path, path, false)),
        ...shown.map(({ from, at }) => bind(from, at, true)),
      ],
    },
  };
}

/** Never root: the build's user where the agent is root, else the agent's own, who owns the folders. */
function userOf(uid: number | null): string {
  return uid === null ? `${process.getuid?.()}:${process.getgid?.()}` : `${uid}:${uid}`;
}

/** Whether the connection broke, rather than the Engine refused. */
function isLost(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === undefined;
}

async function isOutOfMemory(container: Docker.Container): Promise<boolean> {
  for (let waited = 0; ; waited += ASK_EVERY_MS) {
    const { State } = await container.inspect();
    if (State.OOMKilled || waited >= TOLD_MS) return State.OOMKilled;
    await sleep(ASK_EVERY_MS);
  }
}
