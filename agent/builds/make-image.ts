import { join } from 'node:path';
import type { ImageInspectInfo } from 'dockerode';
import { describeProcessTypes, processTypes } from '../../src/builds/process-types.ts';
import type { Commands } from '../../src/builds/procfile.ts';
import { PlatformError } from '../../src/errors.ts';
import type { SlugRef } from '../../src/ledger/releases/release-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { BuildRequest } from '../../src/shell/builds.ts';
import { buildContext } from './build-context.ts';
import type { BuildEngine } from './build-engine.ts';
import { buildImage } from './build-image.ts';
import { storeImage } from './image-blobs.ts';
import type { ImagePlan } from './image-plan.ts';

/** What Heroku calls the stack of apps that bring their own image. */
const CONTAINER_STACK = 'container';
const NAME = 'Dockerfile';
/** Docker's names of architectures, and Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' };

export type MakeImageJob = {
  readonly engine: BuildEngine | null;
  readonly plan: ImagePlan;
  readonly request: BuildRequest;
  /** The app's source. */
  readonly appDir: string;
  readonly procfile: Commands | null;
  readonly env: Readonly<Record<string, string>>;
  readonly blobs: Pick<Blobs, 'has' | 'write'>;
  /** File that remembers which layers are blobs. */
  readonly recordPath: string;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
};

/** From source to an image in the blob store, by the app's Dockerfile. */
export async function makeImage(job: MakeImageJob): Promise<SlugRef> {
  const { plan, request, appDir, print, signal } = job;
  const engine = mustHaveEngine(job.engine);
  print(`-----> Building ${join(plan.contextDir, plan.dockerfile)} with Docker`);
  const { name, info } = await buildImage({
    engine,
    app: request.app,
    context: await buildContext(join(appDir, plan.contextDir), plan.dockerfile),
    dockerfile: plan.dockerfile,
    args: plan.args,
    env: job.env,
    print,
    signal,
  });
  print('-----> Build succeeded!');
  const types = processTypes(commandsOf(plan, job.procfile), commandOfImage(info));
  print('-----> Discovering process types');
  for (const line of describeProcessTypes(types, NAME)) print(line);
  print('');
  print('-----> Storing the image...');
  const { config, layers } = await storeImage(
    engine.docker.getImage(name),
    job.blobs,
    job.recordPath,
    signal,
  );
  const bytes = layers.reduce((sum, layer) => sum + layer.bytes, config.bytes);
  print(`       Done: ${(bytes / 1024 ** 2).toFixed(1)}M in ${layers.length} layers`);
  return {
    ...config,
    arch: ARCHITECTURES[info.Architecture] ?? info.Architecture,
    stack: CONTAINER_STACK,
    processTypes: types.all,
    commit: request.version,
    buildpack: NAME,
    layers,
    format: 'image',
    source: request.bundle,
  };
}

function mustHaveEngine(engine: BuildEngine | null): BuildEngine {
  if (engine !== null) return engine;
  throw new PlatformError(
    'build_failed',
    'this app is built by a Dockerfile, and this peer has no Docker Engine',
    {
      hint: 'Push to a peer whose runtime is docker (see `kith peers`), or set a buildpack: kith buildpacks:set NAME',
    },
  );
}

/** heroku.yml's `run`, else the Procfile; the release command of heroku.yml beside either. */
function commandsOf({ run, release }: ImagePlan, procfile: Commands | null): Commands | null {
  const given = run ?? procfile;
  return release === null ? given : { ...given, release };
}

/** What the image itself runs is its web process. */
function commandOfImage({ Config: { Cmd, Entrypoint } }: ImageInspectInfo): Commands {
  const words: readonly string[] = Cmd ?? [];
  if (words.length === 0 && (Entrypoint === undefined || Entrypoint.length === 0)) return {};
  return { web: JSON.stringify(words) };
}
