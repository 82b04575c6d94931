import { PlatformError } from '../../../src/errors.ts';
import type { ReviewSettings, Pipeline } from '../../../src/ledger/pipelines/pipeline-types.ts';
import { isAllowed, mustBeAllowed } from '../../../src/platform/access.ts';
import { mustFindSetup, reviewAppResource } from '../../../src/platform/app-setup.ts';
import type { ReviewAppResource, SetUp } from '../../../src/platform/app-setup.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { reviewAppEndpoints } from '../../../src/platform/endpoints/app-setups.ts';
import { mustFindPipeline, mustWorkWithPipeline } from '../../../src/platform/pipeline.ts';
import { STALE_DAYS_DEFAULT, reviewAppName, reviewConfigResource } from '../../../src/platform/review-app.ts';
import type { ReviewConfigResource } from '../../../src/platform/review-app.ts';
import { accepted, created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { startSetup } from './app-setups.ts';
import { ownPipelineOf, pipelineOf } from './pipelines.ts';

export const reviewAppRoutes = [
  route(reviewAppEndpoints.showConfig, (request) => ok(mustBeOn(pipelineOf(request)))),
  route(reviewAppEndpoints.enable, async (request, body) => created(await configure(request, body))),
  route(reviewAppEndpoints.updateConfig, async (request, body) => {
    mustBeOn(pipelineOf(request));
    return ok(await configure(request, body));
  }),
  route(reviewAppEndpoints.disable, disable),
  route(reviewAppEndpoints.repo, repo),
  route(reviewAppEndpoints.branch, branch),
  route(reviewAppEndpoints.create, create),
  route(reviewAppEndpoints.info, (request) => ok(mustFind(request).resource)),
  route(reviewAppEndpoints.destroy, destroy),
  route(reviewAppEndpoints.list, list),
  route(reviewAppEndpoints.ofApp, ofApp),
];

type Config = BodyOf<typeof reviewAppEndpoints.enable>;

async function configure(request: ApiRequest, body: Config): Promise<ReviewConfigResource> {
  const { id, review: before } = ownPipelineOf(request);
  if (body.automatic_review_apps === true) throw needsGitHub('make review apps by itself');
  const review: ReviewSettings = {
    baseName: body.base_name ?? before?.baseName ?? null,
    destroysStale: body.destroy_stale_apps ?? before?.destroysStale ?? false,
    staleDays: body.stale_days ?? before?.staleDays ?? STALE_DAYS_DEFAULT,
  };
  await request.command({ type: 'pipeline.review', pipeline: id, review });
  return mustBeOn(pipelineOf(request));
}

async function disable(request: ApiRequest): Promise<Reply> {
  const { id } = ownPipelineOf(request);
  const resource = mustBeOn(pipelineOf(request));
  await request.command({ type: 'pipeline.review', pipeline: id, review: null });
  return ok(resource);
}

function mustBeOn(pipeline: Pipeline): ReviewConfigResource {
  const resource = reviewConfigResource(pipeline);
  if (resource !== null) return resource;
  throw new PlatformError('not_found', `Review apps are off for the pipeline "${pipeline.name}".`, {
    resource: 'review_app_config',
    hint: `Switch them on: kith review-apps:enable -p ${pipeline.name}`,
  });
}

/** Heroku's client asks for it before it switches review apps on, and would otherwise ask Heroku. */
function repo(request: ApiRequest): Reply {
  const { id, name } = pipelineOf(request);
  return ok({ id, full_name: `kith/${name}`, pipeline: { id } });
}

/** There is no repository to look into: that a branch is there is for whoever sends its archive to know. */
function branch(request: ApiRequest): Reply {
  pipelineOf(request);
  return ok({ name: request.param('branch') });
}

async function create(request: ApiRequest, body: BodyOf<typeof reviewAppEndpoints.create>): Promise<Reply> {
  const pipeline = mustFindPipeline(request.view(), body.pipeline, request.caller);
  mustWorkWithPipeline(request.view(), pipeline, request.caller);
  if (body.source_blob.url === 'resolve') throw needsGitHub(`fetch the branch "${body.branch}" by itself`);
  mustBeOn(pipeline);
  if (request.caller.role !== 'admin' && request.caller.role !== 'member') {
    throw new PlatformError('forbidden', 'You do not have permission to make apps.', {
      hint: 'Members of the cluster have',
    });
  }
  const review = { pipeline: pipeline.id, branch: body.branch, prNumber: body.pr_number ?? null };
  const made = await startSetup(request, {
    source: body.source_blob,
    name: reviewAppName(request.view(), pipeline, review, request.freshId('review-app').slice(0, 4)),
    env: body.environment ?? {},
    buildpacks: null,
    review,
  });
  return created(reviewAppResource(made));
}

function list(request: ApiRequest): Reply {
  const { id } = pipelineOf(request);
  const found = [...request.view().apps.values()].flatMap((app) => {
    const { setup } = app;
    if (setup?.review?.pipeline !== id || app.destroyed || !isAllowed(request.caller, 'view', app)) return [];
    return reviewAppResource({ app, setup }) ?? [];
  });
  return request.list(found, ['id', 'created_at', 'updated_at']);
}

function ofApp(request: ApiRequest): Reply {
  const app = request.app();
  const resource = app.setup === null ? null : reviewAppResource({ app, setup: app.setup });
  if (resource !== null) return ok(resource);
  throw new PlatformError('not_found', `The app "${app.name}" is no review app.`, { resource: 'review_app' });
}

async function destroy(request: ApiRequest): Promise<Reply> {
  const { app, setup, resource } = mustFind(request);
  mustBeAllowed(request.caller, 'manage', app);
  if (!app.destroyed) {
    await request.command({ type: 'app.destroy', app: app.id });
    await request.api.logs.remove(app.id);
  }
  const after = request.view().apps.get(app.id);
  return accepted((after && reviewAppResource({ app: after, setup })) ?? resource);
}

function mustFind(request: ApiRequest): SetUp & { readonly resource: ReviewAppResource } {
  const found = mustFindSetup(request.view(), request.param('review'), 'review_app');
  const resource = reviewAppResource(found);
  if (resource !== null && isAllowed(request.caller, 'view', found.app)) return { ...found, resource };
  throw new PlatformError('not_found', `Couldn't find the review app "${request.param('review')}".`, {
    resource: 'review_app',
  });
}

function needsGitHub(what: string): PlatformError {
  return new PlatformError('invalid_params', `Cannot ${what}: a cluster is connected to no GitHub`, {
    hint: 'Send the sources: `kith review-apps:create --branch NAME DIR`, or POST /review-apps with a source_blob',
  });
}
