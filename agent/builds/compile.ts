import { access, chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BUNDLED_BUILDPACKS, parseBuildpack } from '../../src/builds/buildpack-choice.ts';
import type { Commands } from '../../src/builds/procfile.ts';
import { parseReleaseDefaults } from '../../src/builds/release-yaml.ts';
import { PlatformError } from '../../src/errors.ts';
import type { BuildpackStore } from './buildpack-store.ts';
import type { HostTools } from './host-tools.ts';
import type { Layer, LayerStore } from './layer-store.ts';
import { parseLayerWish } from './layer-wish.ts';
import { runInSandbox } from './run-in-sandbox.ts';
import { type Ended } from './sandbox.ts';
import type { Sandbox, SandboxCommand, ShownFolder } from './sandbox.ts';
import { makePlaces, showLayers } from './show-layers.ts';

export type CompileJob = {
  /** Private folder of this build, holding `app/` (the source, becoming the slug). */
  readonly workDir: string;
  /** Persists per app between builds. */
  readonly cacheDir: string;
  /** As configured; empty: the first of ours whose detect succeeds. */
  readonly buildpacks: readonly string[];
  readonly config: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly tools: HostTools;
  readonly store: BuildpackStore;
  readonly layers: Pick<LayerStore, 'get'>;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
};

export type Compiled = {
  /** What the last buildpack calls the app, e.g. `Node.js`. */
  readonly name: string;
  readonly buildpacks: readonly string[];
  /** Process types that the last buildpack gives by default. */
  readonly defaults: Commands;
  /** What the app needs below its own files; left out of them. */
  readonly layers: readonly Layer[];
};

type Pack = { readonly text: string; readonly dir: string; readonly name: string };

const COMPILE = `
exec 2>&1
pack=$1 build=$2 cache=$3 env=$4; shift 4
for file in "$@"; do . "$file"; done
cd "$build" && exec "$pack/bin/compile" "$build" "$cache" "$env"
`;

/**
 * Runs the app's buildpacks over its source: detect, compile and (the last one's) release of the classic API, with each
 * one's \`export\` file sourced for those that follow.
 * @throws PlatformError `build_failed` with the line that a push ends with
 */
export async function compileApp(job: CompileJob): Promise<Compiled> {
  await prepareFolders(job);
  const chosen = job.buildpacks.length > 0 ? null : await chooseBundled(job);
  const packs: Pack[] = [];
  const layers = new Map<string, Layer>();
  for (const [index, text] of (chosen === null ? job.buildpacks : [chosen.text]).entries()) {
    job.print(`-----> Using buildpack: ${text}`);
    const pack = chosen ?? (await detect(job, text, join(job.workDir, 'packs', String(index))));
    if (pack === null) {
      throw new PlatformError('build_failed', `App not compatible with buildpack: ${text}`, {
        hint: 'Look at `buildpacks`; `buildpacks:clear` lets Kith choose one',
      });
    }
    job.print(`-----> ${pack.name} app detected`);
    for (const layer of await layersOf(job, pack)) layers.set(layer.path, layer);
    await compile(job, pack, packs, await showLayers([...layers.values()], job));
    packs.push(pack);
    await makePlaces([...layers.values()], join(job.workDir, 'app'), job.sandbox);
  }
  const last = packs.at(-1);
  if (last === undefined) throw new PlatformError('build_failed', 'No buildpack is set');
  return {
    name: last.name,
    buildpacks: packs.map(({ text }) => text),
    defaults: await release(job, last),
    layers: [...layers.values()],
  };
}

/** The build's own user owns all that it may change; config vars are for its eyes only. */
async function prepareFolders(job: CompileJob): Promise<void> {
  for (const name of ['app', 'packs', 'home', 'tmp', 'env'])
    await mkdir(join(job.workDir, name), { recursive: true });
  await chmod(join(job.workDir, 'env'), 0o700);
  for (const [key, value] of job.config)
    await writeFile(join(job.workDir, 'env', key), value, { mode: 0o600 });
  await mkdir(job.cacheDir, { recursive: true, mode: 0o700 });
  if (job.sandbox.uid === null) return;
  await chown(job.cacheDir, job.sandbox.uid, job.sandbox.uid);
  await ownAll(
    job,
    ['app', 'home', 'tmp', 'env'].map((name) => join(job.workDir, name)),
  );
}

// chown -h never follows a link; nothing of the build has run yet in these folders anyway.
async function ownAll(job: CompileJob, paths: readonly string[]): Promise<void> {
  const { uid } = job.sandbox;
  if (uid !== null) await promisify(execFile)('chown', ['-hR', `${uid}:${uid}`, '--', ...paths]);
}

async function chooseBundled(job: CompileJob): Promise<Pack> {
  job.print('-----> Determining which buildpack to use for this app');
  for (const name of BUNDLED_BUILDPACKS) {
    const pack = await detect(job, name, join(job.workDir, 'packs', `try-${name}`));
    if (pack !== null) return pack;
  }
  job.print(' !     No default language could be detected for this app.');
  throw new PlatformError('build_failed', 'no buildpack knows what this app is', {
    hint: `Kith knows a package.json, requirements.txt, go.mod, index.html or Procfile at the root; name any other buildpack with \`buildpacks:set\``,
  });
}

async function detect(job: CompileJob, text: string, dir: string): Promise<Pack | null> {
  await job.store.copyTo(text, dir, job.signal, (line) => job.print(` !     ${line}`));
  await ownAll(job, [dir]);
  const said: string[] = [];
  const { status } = await run(
    job,
    'exec "$1/bin/detect" "$2"',
    [dir, join(job.workDir, 'app')],
    (line, from) => {
      if (from === 'stdout') said.push(line);
    },
    { isOffline: isOurs(text) },
  );
  return status === 0 ? { text, dir, name: said[0]?.trim() || text } : null;
}

/** What `bin/layers` of one of our own buildpacks asks for; what it says to people goes to stderr. */
async function layersOf(job: CompileJob, pack: Pack): Promise<readonly Layer[]> {
  const source = parseBuildpack(pack.text);
  if (source.tag !== 'bundled' || !(await exists(join(pack.dir, 'bin', 'layers')))) return [];
  const lines: string[] = [];
  const { status } = await run(
    job,
    'exec "$1/bin/layers" "$2" "$3" "$4"',
    [pack.dir, join(job.workDir, 'app'), job.cacheDir, join(job.workDir, 'env')],
    (line, from) => (from === 'stdout' ? lines.push(line) : job.print(line)),
  );
  if (status !== 0) throw new PlatformError('build_failed', `failed to compile ${pack.name} app.`);
  const layers: Layer[] = [];
  for (const line of lines) {
    const wish = parseLayerWish(source.name, line);
    layers.push(await job.layers.get(wish, job.print, job.signal));
  }
  return layers;
}

async function compile(
  job: CompileJob,
  pack: Pack,
  before: readonly Pack[],
  shown: readonly ShownFolder[],
): Promise<void> {
  const exports: string[] = [];
  for (const { dir } of before) {
    const file = join(dir, 'export');
    if (await exists(file)) exports.push(file);
  }
  const dirs = [join(job.workDir, 'app'), job.cacheDir, join(job.workDir, 'env')];
  const ended = await run(job, COMPILE, [pack.dir, ...dirs, ...exports], job.print, { shown });
  if (ended.status === 0) return;
  if (ended.signal !== null) job.print(` !     The build was killed by ${ended.signal}`);
  throw new PlatformError('build_failed', `failed to compile ${pack.name} app.`);
}

async function release(job: CompileJob, pack: Pack): Promise<Commands> {
  if (!(await exists(join(pack.dir, 'bin', 'release')))) return {};
  const said: string[] = [];
  const { status } = await run(
    job,
    'exec "$1/bin/release" "$2"',
    [pack.dir, join(job.workDir, 'app')],
    (line, from) => (from === 'stdout' ? said.push(line) : job.print(line)),
    { isOffline: isOurs(pack.text) },
  );
  if (status !== 0)
    throw new PlatformError('build_failed', `bin/release of the ${pack.name} buildpack failed.`);
  return parseReleaseDefaults(said.join('\n'));
}

/** What detects and what tells process types asks the network for nothing, in our own buildpacks. */
function isOurs(text: string): boolean {
  return parseBuildpack(text).tag === 'bundled';
}

function run(
  job: CompileJob,
  script: string,
  args: readonly string[],
  onLine: (line: string, from: 'stdout' | 'stderr') => void,
  more: Partial<Pick<SandboxCommand, 'shown' | 'isOffline'>> = {},
): Promise<Ended> {
  const inWork = (name: string): string => join(job.workDir, name);
  const command = {
    script,
    args,
    env: { ...job.env, HOME: inWork('home'), TMPDIR: inWork('tmp') },
    writable: [...['app', 'packs', 'home', 'tmp', 'env'].map(inWork), job.cacheDir],
    readable: [job.tools.bin, ...job.tools.targets],
    shown: [],
    ...more,
  };
  return runInSandbox(job.sandbox, command, onLine, job.signal);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
