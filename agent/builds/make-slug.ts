import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseProcfile } from '../../src/builds/procfile.ts';
import { describeProcessTypes, processTypes } from '../../src/builds/process-types.ts';
import { PlatformError } from '../../src/errors.ts';
import type { App } from '../../src/ledger/view.ts';
import type { SlugRef } from '../../src/ledger/op.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { BuildRequest } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { pruneSource, readAppFile } from './app-tree.ts';
import { STACK } from './build-env.ts';
import type { BuildpackStore } from './buildpack-store.ts';
import { compileApp } from './compile.ts';
import type { HostTools } from './host-tools.ts';
import type { Sandbox } from './sandbox.ts';
import { packSlug, slugArch } from './slug-pack.ts';
import { unpackSource } from './source.ts';

/** What every build of this peer uses. */
export type SlugParts = {
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly tools: HostTools;
  readonly store: BuildpackStore;
  readonly blobs: Pick<Blobs, 'write'>;
  readonly host: Pick<PeerHost, 'open'>;
  readonly arch: string;
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
  const { request, app, workDir, print, signal } = job;
  const appDir = join(workDir, 'app');
  await mkdir(appDir);
  await unpackSource(request.source, appDir);
  print('-----> Building on the Kith stack');
  const ignored = await pruneSource(appDir);
  if (ignored > 0) print(`       .slugignore leaves out ${ignored} ${ignored === 1 ? 'entry' : 'entries'}`);
  // A bad Procfile is known before minutes are spent on a build.
  await procfileOf(appDir);
  const config = configOf(parts.host, app);
  const compiled = await compileApp({
    workDir,
    cacheDir: job.cacheDir,
    buildpacks: config.has('BUILDPACK_URL') ? [config.get('BUILDPACK_URL') ?? ''] : app.buildpacks,
    config,
    env: {
      ...parts.env,
      SOURCE_VERSION: request.version ?? '',
      REQUEST_ID: request.request ?? request.build,
    },
    sandbox: parts.sandbox,
    tools: parts.tools,
    store: parts.store,
    print,
    signal,
  });
  print('-----> Build succeeded!');
  const types = processTypes(await procfileOf(appDir), compiled.defaults);
  print('-----> Discovering process types');
  for (const line of describeProcessTypes(types, compiled.name)) print(line);
  print('');
  print('-----> Compressing...');
  const { id, bytes } = await packSlug(appDir, parts.blobs, signal);
  print(`       Done: ${(bytes / 1024 ** 2).toFixed(1)}M`);
  const ref: SlugRef = {
    id,
    bytes,
    arch: await slugArch(appDir, parts.arch),
    stack: STACK,
    processTypes: types.all,
    commit: request.version,
    buildpack: compiled.name,
    source: request.bundle,
  };
  return { ref, buildpacks: compiled.buildpacks };
}

async function procfileOf(appDir: string): Promise<Readonly<Record<string, string>> | null> {
  const text = await readAppFile(appDir, 'Procfile');
  return text === null ? null : parseProcfile(text);
}

/** The config vars of the current release, opened. */
function configOf(host: Pick<PeerHost, 'open'>, app: App): ReadonlyMap<string, string> {
  const release = app.current === null ? undefined : app.releases.get(app.current);
  if (release === undefined) throw new PlatformError('not_found', `App "${app.name}" has no release yet`);
  const config = new Map<string, string>();
  for (const [key, { value }] of release.config) {
    if (value !== null) config.set(key, host.open(app.id, key, value));
  }
  return config;
}
