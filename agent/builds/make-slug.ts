import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppJson } from '../../src/builds/app-json.ts';
import { mustBeOpenToAll } from '../../src/builds/buildpack-choice.ts';
import { parseProcfile } from '../../src/builds/procfile.ts';
import { describeProcessTypes, processTypes } from '../../src/builds/process-types.ts';
import type { BlobId } from '../../src/ids.ts';
import { atInternalHost } from '../../src/internal-host.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { SlugRef } from '../../src/ledger/releases/release-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { BuildRequest } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { liftOnlyFolder, pruneSource, readAppFile } from './app-tree.ts';
import { STACK } from './build-env.ts';
import type { BuildEngine } from './build-engine.ts';
import type { BuildpackStore } from './buildpack-store.ts';
import { compileApp } from './compile.ts';
import { planImage } from './image-plan.ts';
import { makeImage } from './make-image.ts';
import type { HostTools } from './host-tools.ts';
import type { Layer, LayerStore } from './layer-store.ts';
import type { Sandbox } from './sandbox.ts';
import { appJsonOf, setUpConfig, type SetUpHost } from './set-up-app.ts';
import { packSlug, slugArch } from './slug-pack.ts';
import { unpackSource } from './source.ts';

/** What every build of this peer uses. */
export type SlugParts = {
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly tools: HostTools;
  readonly store: BuildpackStore;
  readonly layers: LayerStore;
  readonly blobs: Pick<Blobs, 'has' | 'write'>;
  readonly host: SetUpHost;
  readonly internalHost: string;
  readonly arch: string;
  /** Builds by Dockerfiles need it. */
  readonly engine: BuildEngine | null;
  /** File that remembers which layers of images are blobs. */
  readonly imageRecord: string;
};

export type SlugJob = {
  readonly request: BuildRequest;
  readonly app: App;
  readonly workDir: string;
  readonly cacheDir: string;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
};

/** From source to a slug in the blob store. Nothing but the app's cache is changed when it fails. */
export async function makeSlug(
  parts: SlugParts,
  job: SlugJob,
): Promise<{ readonly ref: SlugRef; readonly buildpacks: readonly string[] }> {
  const { request, workDir, print, signal } = job;
  const appDir = join(workDir, 'app');
  await mkdir(appDir);
  await unpackSource(request.source, appDir);
  if (request.bundle === null) await liftOnlyFolder(appDir);
  print('-----> Building on the Kith stack');
  const ignored = await pruneSource(appDir);
  if (ignored > 0) print(`       .slugignore leaves out ${ignored} ${ignored === 1 ? 'entry' : 'entries'}`);
  // A bad Procfile or app.json is known before minutes are spent on a build.
  const procfile = await procfileOf(appDir);
  const appJson = await appJsonOf(appDir, request.environment ?? null);
  const app =
    appJson === null ? job.app : await setUpConfig(parts.host, job.app, appJson, request.user, print);
  const config = configOf(parts, app);
  const own = request.buildpacks ?? app.buildpacks;
  const chosen = own.length > 0 ? own : (appJson?.buildpacks ?? []);
  const buildpacks =
    config.has('BUILDPACK_URL') && request.buildpacks === undefined
      ? [config.get('BUILDPACK_URL') ?? '']
      : chosen;
  // Those of the request were checked when it came.
  if (buildpacks !== request.buildpacks) mustBeOpenToAll(buildpacks, app.buildpacks);
  const plan = buildpacks.length > 0 ? null : await planImage(appDir, parts.engine, print);
  if (plan !== null) {
    const ref = await makeImage({
      ...parts,
      plan,
      request,
      appDir,
      procfile,
      recordPath: parts.imageRecord,
      print,
      signal,
    });
    return { ref: { ...ref, ...setupOf(appJson) }, buildpacks: [] };
  }
  const compiled = await compileApp({
    workDir,
    cacheDir: job.cacheDir,
    buildpacks,
    config,
    env: {
      ...parts.env,
      SOURCE_VERSION: request.version ?? '',
      REQUEST_ID: request.request ?? request.build,
    },
    sandbox: parts.sandbox,
    tools: parts.tools,
    store: parts.store,
    layers: parts.layers,
    print,
    signal,
  });
  print('-----> Build succeeded!');
  const types = processTypes(await procfileOf(appDir), compiled.defaults);
  print('-----> Discovering process types');
  for (const line of describeProcessTypes(types, compiled.name)) print(line);
  print('');
  print('-----> Compressing...');
  const { arch, slug, layers } = await packParts(parts, appDir, compiled.layers, signal);
  print(
    `       Done: ${mega(slug.bytes)}${layers.map(({ bytes }) => ` over ${mega(bytes)} shared`).join('')}`,
  );
  const ref: SlugRef = {
    ...slug,
    arch,
    stack: STACK,
    processTypes: types.all,
    commit: request.version,
    buildpack: compiled.name,
    source: request.bundle,
    ...setupOf(appJson),
    ...(layers.length === 0 ? {} : { layers }),
  };
  return { ref, buildpacks: compiled.buildpacks };
}

type Part = { readonly id: BlobId; readonly bytes: number };

/** Packs what is the app's own. A layer that is new here was being packed while the app was built. */
async function packParts(
  parts: SlugParts,
  appDir: string,
  layers: readonly Layer[],
  signal: AbortSignal,
): Promise<{ readonly arch: string; readonly slug: Part; readonly layers: readonly Part[] }> {
  const below = await Promise.all(layers.map(({ packed }) => packed));
  const needs = below.find((layer) => layer.arch !== 'any')?.arch;
  const [{ id, bytes }, arch] = await Promise.all([
    packSlug(appDir, parts.blobs, signal, { without: layers.map(({ path }) => path), layers: below }),
    needs ?? slugArch(appDir, parts.arch),
  ]);
  return { arch, slug: { id, bytes }, layers: below.map((layer) => ({ id: layer.id, bytes: layer.bytes })) };
}

function mega(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)}M`;
}

async function procfileOf(appDir: string): Promise<Readonly<Record<string, string>> | null> {
  const text = await readAppFile(appDir, 'Procfile');
  return text === null ? null : parseProcfile(text);
}

function setupOf(appJson: AppJson | null): Pick<SlugRef, 'setup'> {
  if (appJson === null) return {};
  const { setup } = appJson;
  return setup.postdeploy === null && Object.keys(setup.formation).length === 0 ? {} : { setup };
}

/** The config vars that are set, opened; with this peer's address for internal ports, as its dynos have them. */
function configOf(
  { host, internalHost }: { readonly host: Pick<PeerHost, 'open'>; readonly internalHost: string },
  app: App,
): ReadonlyMap<string, string> {
  const config = new Map<string, string>();
  for (const [key, { value }] of app.config) {
    if (value !== null) config.set(key, atInternalHost(host.open(app.id, key, value), internalHost));
  }
  return config;
}
