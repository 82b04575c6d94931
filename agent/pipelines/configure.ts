import { randomBytes } from 'node:crypto';
import { readAppJson } from '../../src/builds/app-json.ts';
import type { AppJson } from '../../src/builds/app-json.ts';
import { mustBeOpenToAll } from '../../src/builds/buildpack-choice.ts';
import { setupConfig } from '../../src/builds/setup-config.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Setup } from '../../src/ledger/pipelines/setup-types.ts';
import { stageConfigOf } from '../../src/platform/pipeline-config.ts';
import { STACK_NAME } from '../../src/platform/stack.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { readManifest } from './read-manifest.ts';
import { SetupFailure } from './setup-failure.ts';

export type ConfigureParts = {
  readonly host: Pick<PeerHost, 'view' | 'command' | 'seal' | 'open'>;
  readonly blobs: Pick<Blobs, 'path'>;
};

const SECRET_BYTES = 32;

/** The app.json of a setup's archive, which is here; null where it has none. @throws SetupFailure for a flawed one */
export async function manifestOf(
  parts: ConfigureParts,
  setup: Setup,
  signal: AbortSignal,
): Promise<AppJson | null> {
  const text = await readManifest(parts.blobs.path(setup.source), signal);
  if (text === null) return null;
  const read = readAppJson(text, setup.review === null ? null : 'review');
  if ('appJson' in read) return read.appJson;
  throw new SetupFailure('invalid app.json', read.errors);
}

export function mustHaveStack({ stack }: AppJson): void {
  if (stack === null || stack === STACK_NAME || stack === 'container') return;
  const error = `"stack": there is no stack "${stack}" here, only ${STACK_NAME}`;
  throw new SetupFailure('invalid app.json', [error]);
}

/** Config vars and buildpacks. Nothing that is set is set anew: a secret that was made up stays. */
export async function configure(
  parts: ConfigureParts,
  app: App & { readonly setup: Setup },
  appJson: AppJson,
): Promise<void> {
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
  // Those of the setup itself were checked when it was asked for.
  if (setup.buildpacks === null) mustBeOpenToAll(appJson.buildpacks, app.buildpacks);
  const buildpacks = setup.buildpacks ?? appJson.buildpacks;
  await host.command({ type: 'buildpacks.set', app: app.id, buildpacks }, by);
}

/** What the pipeline gives to its review apps, opened. */
function stageConfig({ host }: ConfigureParts, { review }: Setup): Readonly<Record<string, string>> {
  const pipeline = review === null ? undefined : host.view().pipelines.get(review.pipeline);
  if (pipeline === undefined) return {};
  return stageConfigOf(pipeline, 'review', (of, key, sealed) => host.open(of, key, sealed));
}
