import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { ImageInspectInfo } from 'dockerode';
import { PlatformError } from '../../src/errors.ts';
import type { AppId } from '../../src/ids.ts';
import { followAnswer, isGone } from '../lib/docker.ts';
import { buildImageName, type BuildEngine } from './build-engine.ts';

const MIB = 2 ** 20;
const CPU_SHARES = 256;
/** Settings of the network that every Dockerfile may use without declaring them. */
const NETWORK_KEYS = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

export type ImageJob = {
  readonly engine: BuildEngine;
  readonly app: AppId;
  /** Tar of the sources. */
  readonly context: Readable;
  /** Within the context. */
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
};

export type BuiltImage = { readonly name: string; readonly info: ImageInspectInfo };

/**
 * Builds an image by a Dockerfile in the Engine. Its steps run as the Dockerfile says, in containers with limits that reach the
 * outside but not this host. The image keeps its name until the app's next build, and with it the cache of its steps; nothing in it
 * tells which peer built it.
 * @throws PlatformError `build_failed` in the Engine's words
 */
export async function buildImage(job: ImageJob): Promise<BuiltImage> {
  const { engine, app, context, dockerfile, args, env, print, signal } = job;
  const { docker, owner, network, memoryMiB } = engine;
  const name = buildImageName(owner, app);
  const before = await idOf(docker, name);
  const proxies = NETWORK_KEYS.flatMap((key) => (env[key] === undefined ? [] : [[key, env[key]] as const]));
  const steps: Steps = { built: null, last: null };
  try {
    const answer = await docker.buildImage(context, {
      t: name,
      dockerfile,
      buildargs: { ...Object.fromEntries(proxies), ...args },
      networkmode: network,
      memory: memoryMiB * MIB,
      memswap: memoryMiB * MIB,
      cpushares: CPU_SHARES,
      rm: true,
      forcerm: true,
      abortSignal: signal,
    });
    await followBuild(answer, steps, print);
  } catch (cause) {
    await keepSteps(docker, steps.last, `${name}${UNFINISHED}`);
    signal.throwIfAborted();
    throw new PlatformError('build_failed', `the Dockerfile failed: ${reasonOf(cause)}`, { cause });
  } finally {
    context.destroy();
  }
  signal.throwIfAborted();
  const { built } = steps;
  if (built === null) {
    throw new PlatformError('build_failed', 'the Docker Engine went away in the middle of the build');
  }
  const info = await docker.getImage(built).inspect();
  for (const old of [`${name}${UNFINISHED}`, before]) {
    // One that a container uses, or another is built on, stays with its name, if it has one.
    if (old !== null && old !== info.Id)
      await docker
        .getImage(old)
        .remove()
        .catch(() => undefined);
  }
  return { name, info };
}

/** Beside the name of the last whole build: as far as one came that failed, so that the next need not begin at nothing. */
const UNFINISHED = '.unfinished';
// Somebody may print dots for an hour, and never end the line.
const LINE_CHARS_MAX = 16 * 1024;

type Steps = {
  /** Id of the image; null when the answer broke off. */
  built: string | null;
  /** The last step that was done. */
  last: string | null;
};

/** Prints what the Engine says, in whole lines. */
async function followBuild(
  answer: NodeJS.ReadableStream,
  steps: Steps,
  print: (line: string) => void,
): Promise<void> {
  let rest = '';
  await followAnswer(answer, ({ stream, status, id, aux }) => {
    steps.built = aux?.ID ?? steps.built;
    steps.last = /^ ---> ([0-9a-f]{12,64})\s*$/m.exec(stream ?? '')?.[1] ?? steps.last;
    // Of layers that are pulled, what is done is told; how far they are is not.
    if (status !== undefined && (id === undefined || /complete|exists/i.test(status))) {
      print(`       ${id ?? ''} ${status}`);
    }
    const lines = (rest + (stream ?? '')).split('\n');
    rest = (lines.pop() ?? '').slice(-LINE_CHARS_MAX);
    for (const line of lines) print(`       ${line.replace(/\r$/, '').replace(/^.*\r/, '')}`);
  });
  if (rest !== '') print(`       ${rest}`);
}

/** Gives an image that only this build made a name of ours; one that somebody else has named is left alone. */
async function keepSteps(docker: Docker, id: string | null, name: string): Promise<void> {
  if (id === null) return;
  try {
    const { RepoTags, RepoDigests } = await docker.getImage(id).inspect();
    if ((RepoTags ?? []).length > 0 || (RepoDigests ?? []).length > 0) return;
    const [repo = '', tag = ''] = name.split(':');
    await docker.getImage(id).tag({ repo, tag });
  } catch {
    // The Engine is away: what was done so far is lost, and the failure itself is told.
    return;
  }
}

async function idOf(docker: Docker, name: string): Promise<string | null> {
  try {
    return (await docker.getImage(name).inspect()).Id;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function reasonOf(error: unknown): string {
  const { json, message } = error as { json?: { message?: string }; message?: string };
  return json?.message ?? message ?? String(error);
}
