import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Logger } from 'pino';
import { readAppJson } from '../../src/builds/app-json.ts';
import type { AppJson } from '../../src/builds/app-json.ts';
import { setupConfig } from '../../src/builds/setup-config.ts';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, BlobId, PeerId, ReleaseId } from '../../src/ids.ts';
import type { Duty } from '../../src/ledger/duties.ts';
import { appOfDuty } from '../../src/ledger/pipeline-duties.ts';
import { setupRequest } from '../../src/ledger/pipeline-types.ts';
import type { App, Setup } from '../../src/ledger/view.ts';
import { STACK_NAME } from '../../src/platform/stack.ts';
import { stageConfigOf } from '../../src/platform/pipeline-config.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Builds } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Releases } from '../../src/shell/releases.ts';
import { until } from '../lib/until.ts';
import { provisionAll } from './provision.ts';
import type { ProvisionParts } from './provision.ts';
import { readManifest } from './read-manifest.ts';

export type SetUpParts = ProvisionParts & {
  readonly host: Pick<PeerHost, 'view' | 'command' | 'seal' | 'open'>;
  readonly blobs: Pick<Blobs, 'fetch' | 'path'>;
  readonly builds: Pick<Builds, 'run'>;
  readonly releases: Pick<Releases, 'finish'>;
  readonly holders: (blob: BlobId) => readonly PeerId[];
  readonly log: Logger;
};

/** A build that takes down every peer that tries it must not go round the cluster for ever. */
const WITHIN_MS = 2 * 3_600_000;
const FETCH_MS = 3 * 60_000;
const RECORD_MS = 20_000;
const SECRET_BYTES = 32;
/** What the ledger keeps of what postdeploy wrote: its end. */
const OUTPUT_CHARS_MAX = 20_000;

/** Says why a setup cannot be: the app goes with it. */
class SetupFailure extends Error {
  readonly manifestErrors: readonly string[];
  readonly postdeploy: NonNullable<Setup['settled']>['postdeploy'];

  constructor(
    message: string,
    manifestErrors: readonly string[] = [],
    postdeploy: NonNullable<Setup['settled']>['postdeploy'] = null,
  ) {
    super(message);
    this.manifestErrors = manifestErrors;
    this.postdeploy = postdeploy;
  }
}

/**
 * Makes an app ready from its archive and app.json. Every step looks first at what is there, so that a peer which takes
 * over goes on where another one died: only the build, and a postdeploy that was under way, are begun anew.
 */
export async function setUp(parts: SetUpParts, duty: Duty, signal: AbortSignal): Promise<void> {
  const app = find(parts, appOfDuty(duty));
  if (app === null) return;
  const { setup } = app;
  const settle = async (settled: Omit<NonNullable<Setup['settled']>, 'at'>): Promise<void> => {
    // It is another peer's now, who may do better.
    if (signal.aborted) return;
    await parts.host.command(
      { type: 'setup.settle', app: app.id, settled: { setup: setup.setup, ...settled } },
      { user: setup.user, request: null },
    );
  };
  try {
    const postdeploy = await carryOut(parts, app, signal);
    await settle({ status: 'succeeded', reason: null, manifestErrors: [], postdeploy });
  } catch (error) {
    const failure = asFailure(error);
    if (failure === null) throw error;
    parts.log.info({ app: app.id, setup: setup.setup, reason: failure.message }, 'app setup failed');
    const { message: reason, manifestErrors, postdeploy } = failure;
    await settle({ status: 'failed', reason, manifestErrors, postdeploy });
  }
}

type SetUpApp = App & { readonly setup: Setup };

async function carryOut(
  parts: SetUpParts,
  { id, setup }: SetUpApp,
  signal: AbortSignal,
): Promise<NonNullable<Setup['settled']>['postdeploy']> {
  if (Date.now() - setup.createdAt > WITHIN_MS) throw new SetupFailure('It was not done within two hours');
  const within = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]);
  await parts.blobs.fetch(setup.source, parts.holders(setup.source), within);
  const appJson = await manifestOf(parts, setup, signal);
  if (appJson !== null) {
    mustHaveStack(appJson);
    await configure(parts, mustFind(parts, id), appJson);
    await provisionAll(parts, mustFind(parts, id), appJson.addons, signal);
  }
  const release = deployedBy(mustFind(parts, id)) ?? (await build(parts, mustFind(parts, id), signal));
  return finish(parts, mustFind(parts, id), release, signal);
}

async function manifestOf(parts: SetUpParts, setup: Setup, signal: AbortSignal): Promise<AppJson | null> {
  const text = await readManifest(parts.blobs.path(setup.source), signal);
  if (text === null) return null;
  const read = readAppJson(text, setup.review === null ? null : 'review');
  if ('appJson' in read) return read.appJson;
  throw new SetupFailure('invalid app.json', read.errors);
}

function mustHaveStack({ stack }: AppJson): void {
  if (stack === null || stack === STACK_NAME || stack === 'container') return;
  const error = `"stack": there is no stack "${stack}" here, only ${STACK_NAME}`;
  throw new SetupFailure('invalid app.json', [error]);
}

/** Config vars and buildpacks. Nothing that is set is set anew: a secret that was made up stays. */
async function configure(parts: SetUpParts, app: SetUpApp, appJson: AppJson): Promise<void> {
  const { host } = parts;
  const { setup } = app;
  const overrides = Object.fromEntries(
    Object.entries(setup.env).map(([key, sealed]) => [key, host.open(app.id, key, sealed)]),
  );
  const { set, missing } = setupConfig(appJson, stageConfig(parts, setup), overrides);
  if (missing.length > 0) {
    throw new SetupFailure(
      `app.json asks for config vars that were not given: ${missing.join(', ')}`,
      missing.map((key) => `"env.${key}": a value is required`),
    );
  }
  const unset = Object.entries(set).filter(([key]) => app.config.get(key)?.value == null);
  const config = Object.fromEntries(
    unset.map(([key, value]) => [
      key,
      host.seal(app.id, key, value ?? randomBytes(SECRET_BYTES).toString('hex')),
    ]),
  );
  const by = { user: setup.user, request: null };
  await host.command({ type: 'config.patch', app: app.id, config }, by);
  const buildpacks = setup.buildpacks ?? appJson.buildpacks;
  await host.command({ type: 'buildpacks.set', app: app.id, buildpacks }, by);
}

/** What the pipeline gives to its review apps, opened. */
function stageConfig({ host }: SetUpParts, { review }: Setup): Readonly<Record<string, string>> {
  const pipeline = review === null ? undefined : host.view().pipelines.get(review.pipeline);
  if (pipeline === undefined) return {};
  return stageConfigOf(pipeline, 'review', (of, key, sealed) => host.open(of, key, sealed));
}

/** The release of this setup that a peer before us made. */
function deployedBy(app: SetUpApp): ReleaseId | null {
  const request = setupRequest(app.setup.setup);
  return [...app.releases.values()].find((release) => release.request === request)?.id ?? null;
}

async function build(parts: SetUpParts, app: SetUpApp, signal: AbortSignal): Promise<ReleaseId> {
  const { setup } = app;
  const outcome = await parts.builds.run(
    {
      app: app.id,
      build: setup.build,
      user: setup.user,
      request: setupRequest(setup.setup),
      source: createReadStream(parts.blobs.path(setup.source)),
      version: setup.version,
      bundle: null,
      ...(setup.review === null ? {} : { environment: 'review' }),
    },
    () => {},
  );
  signal.throwIfAborted();
  if (outcome.status === 'succeeded') return outcome.release;
  // What the build said is written down a moment after its end, and cannot be once the app is gone.
  await until(() => mustFind(parts, app.id).builds.has(setup.build), RECORD_MS, signal);
  throw new SetupFailure(`The build failed: ${outcome.reason}`);
}

async function finish(
  parts: SetUpParts,
  app: SetUpApp,
  release: ReleaseId,
  signal: AbortSignal,
): Promise<NonNullable<Setup['settled']>['postdeploy']> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const { isReleased, postdeploy } = await parts.releases.finish(
    app.id,
    release,
    app.setup.user,
    print,
    signal,
  );
  signal.throwIfAborted();
  const output = lines.join('\n').slice(-OUTPUT_CHARS_MAX);
  if (!isReleased) {
    const hasFailed = mustFind(parts, app.id).releases.get(release)?.status === 'failed';
    const reason = hasFailed ? 'Its release command failed' : 'Its postdeploy command could not be run';
    throw new SetupFailure(reason, [], { exitCode: null, output });
  }
  if (postdeploy === null) return null;
  const ended = { exitCode: postdeploy.status, output };
  if (postdeploy.status !== 0) throw new SetupFailure('Its postdeploy command failed', [], ended);
  return ended;
}

function find({ host }: SetUpParts, id: AppId): SetUpApp | null {
  const app = host.view().apps.get(id);
  if (app === undefined || app.destroyed || app.setup === null || app.setup.settled !== null) return null;
  return { ...app, setup: app.setup };
}

function mustFind(parts: SetUpParts, id: AppId): SetUpApp {
  const found = find(parts, id);
  if (found !== null) return found;
  throw new PlatformError('gone', 'The app was destroyed while it was set up', { resource: 'app' });
}

/** What will not be better at another try, nor at another peer. */
function asFailure(error: unknown): SetupFailure | null {
  if (error instanceof SetupFailure) return error;
  if (!(error instanceof PlatformError)) return null;
  const isLasting = ['invalid_params', 'bad_request', 'build_failed', 'too_large', 'not_found', 'forbidden'];
  return isLasting.includes(error.code) ? new SetupFailure(error.message) : null;
}
