import { createReadStream } from 'node:fs';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, BlobId, PeerId, ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import { appOfDuty } from '../../src/ledger/pipelines/pipeline-duties.ts';
import { setupRequest } from '../../src/ledger/pipelines/pipeline-types.ts';
import type { Setup, SetupEnd } from '../../src/ledger/pipelines/setup-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Builds } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Releases } from '../../src/shell/releases.ts';
import { until } from '../lib/until.ts';
import { configure, manifestOf, mustHaveStack } from './configure.ts';
import { provisionAll } from './provision.ts';
import type { ProvisionParts } from './provision.ts';
import { SetupFailure } from './setup-failure.ts';

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
/** What the ledger keeps of what postdeploy wrote: its end. */
const OUTPUT_CHARS_MAX = 20_000;

/**
 * Makes an app ready from its archive and app.json. Every step looks first at what is there, so that a peer which takes
 * over goes on where another one died: only the build, and a postdeploy that was under way, are begun anew.
 */
export async function setUp(parts: SetUpParts, duty: Duty, signal: AbortSignal): Promise<void> {
  const app = find(parts, appOfDuty(duty));
  if (app === null) return;
  const { setup } = app;
  const settle = async (settled: SetupEnd): Promise<void> => {
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
): Promise<SetupEnd['postdeploy']> {
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
): Promise<SetupEnd['postdeploy']> {
  let written = '';
  const print = (line: string): void => {
    written = `${written}${line}\n`.slice(-OUTPUT_CHARS_MAX - 1);
  };
  const { isReleased, postdeploy } = await parts.releases.finish(
    app.id,
    release,
    app.setup.user,
    print,
    signal,
  );
  signal.throwIfAborted();
  const output = written.slice(0, -1);
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
