import { PlatformError } from '../errors.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { Setup } from '../ledger/pipelines/setup-types.ts';
import type { View } from '../ledger/view.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { userUuid } from './ids.ts';
import { isoTime } from './time.ts';

export type AppSetupResource = {
  readonly id: string;
  /** Gone where the setup failed. */
  readonly app: AppRef;
  readonly build: {
    readonly id: string;
    readonly status: 'pending' | 'succeeded' | 'failed';
    readonly output_stream_url: string;
  } | null;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly failure_message: string | null;
  readonly manifest_errors: readonly string[];
  readonly postdeploy: { readonly exit_code: number | null; readonly output: string } | null;
  readonly resolved_success_url: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};

export type ReviewAppStatus = 'pending' | 'creating' | 'created' | 'deleting' | 'deleted' | 'errored';

export type ReviewAppResource = {
  readonly id: string;
  readonly app: { readonly id: string; readonly name: string } | null;
  readonly app_setup: { readonly id: string };
  readonly branch: string;
  readonly pipeline: { readonly id: string };
  readonly pr_number: number | null;
  readonly status: ReviewAppStatus;
  readonly message: string | null;
  readonly error_status: string | null;
  readonly creator: { readonly id: string };
  readonly fork_repo: null;
  readonly wait_for_ci: false;
  readonly created_at: string;
  readonly updated_at: string;
};

/** An app with the setup that it came from. */
export type SetUp = { readonly app: App; readonly setup: Setup };

/** @param url of what its build writes, and of the app itself */
export function appSetupResource(
  { app, setup }: SetUp,
  url: { readonly output: string; readonly web: string },
): AppSetupResource {
  const { settled } = setup;
  const build = app.builds.get(setup.build);
  const status = settled?.status ?? 'pending';
  // A setup that failed before it could build has no build.
  const isBuilt = build !== undefined || settled === null;
  return {
    id: setup.setup,
    app: appRef(app),
    build: isBuilt
      ? { id: setup.build, status: build?.status ?? 'pending', output_stream_url: url.output }
      : null,
    status,
    failure_message: settled?.reason ?? null,
    manifest_errors: settled?.manifestErrors ?? [],
    postdeploy: settled?.postdeploy
      ? { exit_code: settled.postdeploy.exitCode, output: settled.postdeploy.output }
      : null,
    resolved_success_url: status === 'succeeded' ? url.web : null,
    created_at: isoTime(setup.createdAt),
    updated_at: isoTime(settled?.at ?? setup.createdAt),
  };
}

export function reviewAppResource({ app, setup }: SetUp): ReviewAppResource | null {
  const { review, settled } = setup;
  if (review === null) return null;
  const status = reviewStatus({ app, setup });
  return {
    id: setup.setup,
    app: app.destroyed ? null : appRef(app),
    app_setup: { id: setup.setup },
    branch: review.branch,
    pipeline: { id: review.pipeline },
    pr_number: review.prNumber,
    status,
    message: settled?.reason ?? null,
    error_status: status === 'errored' ? 'app_setup_failed' : null,
    creator: { id: userUuid(setup.user) },
    fork_repo: null,
    wait_for_ci: false,
    created_at: isoTime(setup.createdAt),
    updated_at: isoTime(settled?.at ?? setup.createdAt),
  };
}

function reviewStatus({ app, setup: { settled } }: SetUp): ReviewAppStatus {
  if (settled?.status === 'failed') return 'errored';
  if (app.destroyed) return 'deleted';
  return settled === null ? 'creating' : 'created';
}

/** Destroyed apps too: a setup that failed has destroyed its own. */
export function mustFindSetup(view: View, id: string, resource: 'app_setup' | 'review_app'): SetUp {
  for (const app of view.apps.values()) {
    const { setup } = app;
    if (setup === null || setup.setup !== id.toLowerCase()) continue;
    if (resource === 'app_setup' || setup.review !== null) return { app, setup };
  }
  const what = resource === 'app_setup' ? 'app setup' : 'review app';
  throw new PlatformError('not_found', `Couldn't find the ${what} "${id}".`, { resource });
}
