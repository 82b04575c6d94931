import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, BlobId, PeerId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import { buildStartedText } from '../../src/logs/api-lines.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { BuildOutcome, BuildRequest, Builds, PackedSlug } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { missingProgram } from '../lib/missing-program.ts';
import { Tasks } from '../lib/tasks.ts';
import { openBuildEngine, removeLeftovers, removeOldImages } from './build-engine.ts';
import { buildEnv } from './build-env.ts';
import { openBuildRoot, removeTree, WORK } from './build-folders.ts';
import { BuildQueue } from './build-queue.ts';
import { BuildpackStore } from './buildpack-store.ts';
import { makeHostTools } from './host-tools.ts';
import { LayerStore } from './layer-store.ts';
import { makeSlug, type SlugParts } from './make-slug.ts';
import { OutputLog } from '../lib/output-log.ts';
import { mustHaveRoom } from './must-have-room.ts';
import { packUpload } from './pack-upload.ts';
import { recordBuild } from './record-build.ts';
import { releaseSlug } from './release-slug.ts';
import { containerSandbox, describeSandbox, probeSandbox, type Sandbox } from './sandbox.ts';

export type BuilderOptions = {
  /** DIR, the peer's data directory: caches live in DIR/build-cache. */
  readonly dir: string;
  readonly host: Pick<PeerHost, 'view' | 'command' | 'open' | 'seal'>;
  readonly blobs: Blobs;
  readonly log: Logger;
  /** `x64` or `arm64`: what machine code built here runs on. */
  readonly runtimeArch: string;
  /** Live peers other than this one, the best to hold a copy first. */
  readonly peersForReplication: () => readonly PeerId[];
  /** A line for the app's log, as `app[api]`. */
  readonly onLog: (app: AppId, text: string) => void;
  /** The repository's buildpacks/ folder. */
  readonly buildpacksDir: string;
  /** What stands for `kith.internal` in config vars, for builds that ask an internal port. */
  readonly internalHost: string;
  /** Where people reach an app through this peer: `http://NAME.DOMAIN:PORT/`. */
  readonly webUrl: (app: App) => string;
  readonly deadlineMs?: number;
  /** What works here is found out when absent. */
  readonly sandbox?: Sandbox;
  /** The image that builds run in where dynos run in containers of it; null: builds are processes. */
  readonly containerImage?: string | null;
};

const DEADLINE_MS = 15 * 60_000;
const WAITING_MAX = 20;
// Outputs of ended builds that stay in memory; older ones are read from their blobs.
const OUTPUTS_KEPT = 20;
const OUTPUT_FETCH_MS = 20_000;

type Running = {
  readonly request: BuildRequest;
  readonly startedAt: number;
  readonly output: OutputLog;
  /** Aborts with the user who broke it off. */
  readonly stop: AbortController;
};

/** Opens the slug compiler of this peer; removes what a former agent's builds left behind. */
export async function openBuilds(options: BuilderOptions): Promise<Builder> {
  const image = options.containerImage ?? null;
  const engine = image === null ? null : await openBuildEngine(options.dir, image);
  const sandbox = options.sandbox ?? (engine === null ? await probeSandbox() : containerSandbox(engine));
  const root = await openBuildRoot(options.dir, sandbox);
  const tools = await makeHostTools(join(root, WORK), process.env['PATH'] ?? '');
  options.log.info({ sandbox: describeSandbox(sandbox), npm: tools.targets.length > 1 }, 'builds are ready');
  const { buildpacksDir: bundledDir, blobs, host, runtimeArch: arch } = options;
  const env = buildEnv(process.env, tools.bin);
  const store = new BuildpackStore({ bundledDir, cacheDir: join(root, '.buildpacks'), sandbox, env });
  const common = { env, sandbox, tools, store, blobs, arch };
  const layers = await LayerStore.open(join(root, '.layers'), join(root, WORK), common);
  return new Builder(options, root, {
    ...common,
    host,
    internalHost: options.internalHost,
    layers,
    engine,
    imageRecord: join(root, '.image-layers.json'),
  });
}

export class Builder implements Builds {
  readonly #options: BuilderOptions;
  readonly #root: string;
  readonly #parts: SlugParts;
  readonly #log: Logger;
  readonly #tasks: Tasks;
  readonly #queue = new BuildQueue(WAITING_MAX);
  readonly #running = new Map<string, Running>();
  readonly #outputs = new Map<string, OutputLog>();
  readonly #stop = new AbortController();

  constructor(options: BuilderOptions, root: string, parts: SlugParts) {
    this.#options = options;
    this.#root = root;
    this.#log = options.log;
    this.#tasks = new Tasks(options.log);
    this.#parts = parts;
  }

  async run(request: BuildRequest, output: (text: string) => void): Promise<BuildOutcome> {
    const running = {
      request,
      startedAt: Date.now(),
      output: new OutputLog(),
      stop: new AbortController(),
    };
    const print = (line: string): void => {
      running.output.write(`${line}\n`);
      output(`${line}\n`);
    };
    // It may break while the build waits, when nobody reads it yet: whoever unpacks it then finds it broken.
    request.source.on('error', (err) => this.#log.debug({ build: request.build, err }, 'source broke off'));
    this.#running.set(request.build, running);
    this.#keep(request.build, running.output);
    try {
      return await this.#queue.run(
        () => this.#build(running, print),
        (ahead) =>
          print(`-----> Waiting: ${ahead} ${ahead === 1 ? 'build is' : 'builds are'} ahead on this peer`),
      );
    } finally {
      request.source.destroy();
      running.output.end();
      this.#running.delete(request.build);
    }
  }

  pending(app: AppId): ReturnType<Builds['pending']> {
    return [...this.#running.values()]
      .filter(({ request }) => request.app === app)
      .map(({ request, startedAt }) => ({
        build: request.build,
        status: 'pending' as const,
        commit: request.version,
        buildpacks: this.#app(app).buildpacks,
        output: null,
        release: null,
        user: request.user,
        createdAt: startedAt,
        updatedAt: startedAt,
      }));
  }

  stop(build: string, user: UserEmail): boolean {
    const running = this.#running.get(build);
    running?.stop.abort(user);
    return running !== undefined;
  }

  output(build: string): Readable | null {
    const kept = this.#outputs.get(build);
    if (kept !== undefined) return kept.read();
    for (const app of this.#options.host.view().apps.values()) {
      const blob = app.builds.get(build)?.output;
      if (blob !== undefined && blob !== null) return this.#stored(blob);
    }
    return null;
  }

  async pack(source: Readable, signal: AbortSignal): Promise<PackedSlug> {
    await mustHaveRoom(this.#root);
    const until = AbortSignal.any([signal, this.#stop.signal]);
    const { runtimeArch, blobs } = this.#options;
    return packUpload(source, join(this.#root, WORK), blobs, runtimeArch, until);
  }

  async purgeCache(app: AppId): Promise<void> {
    await removeTree(join(this.#root, app));
    const { engine } = this.#parts;
    if (engine !== null) await removeOldImages(engine, (id) => id !== app);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new PlatformError('unavailable', 'The peer is stopping'));
    await this.#tasks.settled();
    while (this.#running.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async #build(running: Running, print: (line: string) => void): Promise<BuildOutcome> {
    const { request } = running;
    const deadline = AbortSignal.timeout(this.#options.deadlineMs ?? DEADLINE_MS);
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, running.stop.signal, deadline, ended.signal]);
    // The same at each build of an app: what compilers cache, Node's own included, they find again by path.
    const workDir = join(this.#root, WORK, request.app);
    this.#options.onLog(request.app, buildStartedText(request.user));
    let buildpacks: readonly string[] = [];
    let outcome: BuildOutcome;
    try {
      signal.throwIfAborted();
      await mustHaveRoom(this.#root);
      await removeTree(workDir);
      await mkdir(workDir, { mode: 0o711 });
      const cacheDir = join(this.#root, request.app);
      const slug = await makeSlug(this.#parts, {
        request,
        app: this.#app(request.app),
        workDir,
        cacheDir,
        print,
        signal,
      });
      buildpacks = slug.buildpacks;
      const release = await releaseSlug(this.#options, slug.ref, request, print, signal);
      outcome = { status: 'succeeded', release };
    } catch (thrown) {
      const error = missingProgram(thrown) ?? thrown;
      const reason = this.#explain(error, deadline, running);
      print(` !     Push rejected, ${reason}`);
      if (error instanceof PlatformError && error.hint !== undefined) print(` !     ${error.hint}`);
      print(' !');
      print(' !     Push failed');
      outcome = { status: 'failed', reason };
    } finally {
      ended.abort();
      await this.#cleanUp(workDir);
    }
    running.output.end();
    // The record is history, not the build: a push does not wait for copies of its output.
    this.#tasks.run('record build', () =>
      recordBuild(this.#options, {
        request,
        startedAt: running.startedAt,
        output: running.output,
        buildpacks,
        outcome,
      }),
    );
    return outcome;
  }

  async #cleanUp(workDir: string): Promise<void> {
    try {
      await this.#parts.layers.settle();
      await removeTree(workDir);
      const { engine } = this.#parts;
      if (engine === null) return;
      await removeLeftovers(engine);
      await removeOldImages(engine, (id) => this.#options.host.view().apps.get(id)?.destroyed === false);
    } catch (err) {
      this.#log.warn({ err, path: workDir }, 'work folder stays');
    }
  }

  #explain(error: unknown, deadline: AbortSignal, { request, stop }: Running): string {
    if (stop.signal.aborted) return `${String(stop.signal.reason)} cancelled the build`;
    if (deadline.aborted)
      return `the build took longer than ${(this.#options.deadlineMs ?? DEADLINE_MS) / 60_000} minutes`;
    if (this.#stop.signal.aborted) return 'this peer is stopping: push again, here or to another one';
    if (error instanceof PlatformError) return error.message;
    this.#log.error({ err: error, app: request.app, build: request.build }, 'build broke');
    return 'something went wrong on this peer; its log says what';
  }

  #app(id: AppId): App {
    const app = this.#options.host.view().apps.get(id);
    if (app !== undefined && !app.destroyed) return app;
    throw new PlatformError('not_found', `Cannot build app "${id}": it does not exist`, { resource: 'app' });
  }

  #keep(build: string, output: OutputLog): void {
    this.#outputs.set(build, output);
    for (const [id] of this.#outputs) {
      if (this.#outputs.size <= OUTPUTS_KEPT) return;
      if (!this.#running.has(id)) this.#outputs.delete(id);
    }
  }

  /** An output that is a blob, here or at another peer. */
  #stored(blob: BlobId): Readable {
    const { blobs, peersForReplication } = this.#options;
    const stream = new PassThrough();
    this.#tasks.run('read build output', async () => {
      try {
        await blobs.fetch(blob, peersForReplication(), AbortSignal.timeout(OUTPUT_FETCH_MS));
        await pipeline(createReadStream(blobs.path(blob)), stream);
      } catch (err) {
        this.#log.debug({ blob, err }, 'build output not found');
        stream.end(' !     No peer that is reachable now holds the output of this build\n');
      }
    });
    return stream;
  }
}
