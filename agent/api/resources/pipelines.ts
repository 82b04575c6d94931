import { PlatformError } from '../../../src/errors.ts';
import type { PipelineId } from '../../../src/ids.ts';
import type { UserEmail } from '../../../src/ledger/values.ts';
import type { Pipeline } from '../../../src/ledger/pipelines/pipeline-types.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { pipelineEndpoints } from '../../../src/platform/endpoints/pipelines.ts';
import { findUser } from '../../../src/platform/find-user.ts';
import { userUuid } from '../../../src/platform/ids.ts';
import { stageConfigOf } from '../../../src/platform/pipeline-config.ts';
import {
  couplingsIn,
  mustBeStage,
  mustFindPipeline,
  mustOwnPipeline,
  pipelineResource,
  stageResources,
  visiblePipelines,
} from '../../../src/platform/pipeline.ts';
import { isAllowed } from '../../../src/platform/access.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { presentRelease } from './releases.ts';

export const pipelineRoutes = [
  route(pipelineEndpoints.list, list),
  route(pipelineEndpoints.create, create),
  route(pipelineEndpoints.info, (request) => ok(pipelineResource(pipelineOf(request)))),
  route(pipelineEndpoints.update, update),
  route(pipelineEndpoints.destroy, destroy),
  route(pipelineEndpoints.transfer, transfer),
  route(pipelineEndpoints.stages, () => ok(stageResources())),
  route(pipelineEndpoints.config, (request) => ok(configOf(request))),
  route(pipelineEndpoints.setConfig, setConfig),
  route(pipelineEndpoints.latestReleases, latestReleases),
];

/** The pipeline of the path. */
export function pipelineOf(request: ApiRequest): Pipeline {
  return mustFindPipeline(request.view(), request.param('pipeline'), request.caller);
}

/** The same, for whoever may change it. */
export function ownPipelineOf(request: ApiRequest): Pipeline {
  const pipeline = pipelineOf(request);
  mustOwnPipeline(pipeline, request.caller);
  return pipeline;
}

/** All, or those that `?eq[name]=` names. */
function list(request: ApiRequest): Reply {
  const wanted = new URL(request.message.url ?? '/', 'http://kith').searchParams.get('eq[name]');
  const found = visiblePipelines(request.view(), request.caller).filter(
    ({ name, id }) => wanted === null || name === wanted || id === wanted,
  );
  return request.list(found.map(pipelineResource), ['name', 'id', 'created_at', 'updated_at']);
}

async function create(
  request: ApiRequest,
  { name, owner }: BodyOf<typeof pipelineEndpoints.create>,
): Promise<Reply> {
  const pipeline = request.freshId('pipeline') as PipelineId;
  const given = owner == null ? {} : { owner: ownerNamed(request, owner) };
  await request.command({ type: 'pipeline.set', pipeline, name, ...given });
  return created(pipelineResource(mustFindPipeline(request.view(), pipeline, request.caller)));
}

async function update(
  request: ApiRequest,
  { name }: BodyOf<typeof pipelineEndpoints.update>,
): Promise<Reply> {
  const { id: pipeline } = ownPipelineOf(request);
  if (name !== undefined) await request.command({ type: 'pipeline.set', pipeline, name });
  return ok(pipelineResource(mustFindPipeline(request.view(), pipeline, request.caller)));
}

async function destroy(request: ApiRequest): Promise<Reply> {
  const pipeline = ownPipelineOf(request);
  await request.command({ type: 'pipeline.remove', pipeline: pipeline.id });
  return ok(pipelineResource(pipeline));
}

async function transfer(
  request: ApiRequest,
  { pipeline: named, new_owner }: BodyOf<typeof pipelineEndpoints.transfer>,
): Promise<Reply> {
  const pipeline = mustFindPipeline(request.view(), named, request.caller);
  mustOwnPipeline(pipeline, request.caller);
  const owner = ownerNamed(request, new_owner);
  await request.command({ type: 'pipeline.set', pipeline: pipeline.id, owner });
  return created({
    pipeline: { id: pipeline.id },
    previous_owner: { id: userUuid(pipeline.owner), type: 'user' },
    new_owner: { id: userUuid(owner), type: 'user' },
  });
}

/** A cluster is one team: what is given to the team stays with whoever gives it. */
function ownerNamed(
  request: ApiRequest,
  { id, type }: NonNullable<BodyOf<typeof pipelineEndpoints.create>['owner']>,
): UserEmail {
  if (type != null && type !== 'user') return request.caller.user;
  const found = findUser(request.view(), id, request.caller.user);
  if (found !== null) return found;
  throw new PlatformError('not_found', `Couldn't find the user "${id}".`, {
    resource: 'user',
    hint: 'Name somebody who has a token: see `kith members`',
  });
}

function configOf(request: ApiRequest): Readonly<Record<string, string>> {
  const stage = mustBeStage(request.param('stage'));
  const { host } = request.api;
  return stageConfigOf(ownPipelineOf(request), stage, (of, key, sealed) => host.open(of, key, sealed));
}

async function setConfig(
  request: ApiRequest,
  body: BodyOf<typeof pipelineEndpoints.setConfig>,
): Promise<Reply> {
  const stage = mustBeStage(request.param('stage'));
  const { id: pipeline } = ownPipelineOf(request);
  const { host } = request.api;
  const sealed = Object.entries(body).map(([key, value]) => [
    key,
    value === null ? null : host.seal(pipeline, key, value),
  ]);
  await request.command({ type: 'pipeline.config', pipeline, stage, config: Object.fromEntries(sealed) });
  return ok(configOf(request));
}

/** What each app of the pipeline runs, by stage. */
function latestReleases(request: ApiRequest): Reply {
  const { id } = pipelineOf(request);
  const apps = couplingsIn(request.view())
    .filter(({ pipeline, app }) => pipeline.id === id && isAllowed(request.caller, 'view', app))
    .map(({ app }) => app);
  return ok(
    apps.flatMap((app) => {
      const release = app.current === null ? undefined : app.releases.get(app.current);
      return release === undefined ? [] : [presentRelease(request, app, release)];
    }),
  );
}
