import { PlatformError } from '../../../src/errors.ts';
import { isAllowed, mustBeAllowed, visibleApps } from '../../../src/platform/access.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { couplingEndpoints } from '../../../src/platform/endpoints/pipelines.ts';
import {
  coupledOf,
  couplingResource,
  couplingUuid,
  couplingsIn,
  mustFindPipeline,
  mustWorkWithPipeline,
} from '../../../src/platform/pipeline.ts';
import type { Coupled } from '../../../src/platform/pipeline.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { presentApp } from './apps.ts';
import { pipelineOf } from './pipelines.ts';

export const couplingRoutes = [
  route(couplingEndpoints.list, (request) => listed(request, visible(request))),
  route(couplingEndpoints.listOfPipeline, listOfPipeline),
  route(couplingEndpoints.ofApp, ofApp),
  route(couplingEndpoints.create, create),
  route(couplingEndpoints.info, (request) => ok(couplingResource(mustFind(request)))),
  route(couplingEndpoints.update, update),
  route(couplingEndpoints.destroy, destroy),
  route(couplingEndpoints.filterApps, filterApps),
];

function visible(request: ApiRequest): readonly Coupled[] {
  return couplingsIn(request.view()).filter(({ app }) => isAllowed(request.caller, 'view', app));
}

function listed(request: ApiRequest, coupled: readonly Coupled[]): Reply {
  // In the order of stages, which no field says: unless asked for otherwise, it stays as it is.
  if (request.message.headers.range === undefined) return ok(coupled.map(couplingResource));
  return request.list(coupled.map(couplingResource), ['id', 'created_at', 'updated_at']);
}

function listOfPipeline(request: ApiRequest): Reply {
  const { id } = pipelineOf(request);
  return listed(
    request,
    visible(request).filter(({ pipeline }) => pipeline.id === id),
  );
}

function ofApp(request: ApiRequest): Reply {
  const app = request.app();
  const coupled = coupledOf(request.view(), app);
  if (coupled !== null) return ok(couplingResource(coupled));
  throw new PlatformError('not_found', `The app "${app.name}" is in no pipeline.`, {
    resource: 'pipeline_coupling',
    hint: `Add it to one: kith pipelines:add PIPELINE -a ${app.name} --stage staging`,
  });
}

async function create(
  request: ApiRequest,
  { app: named, pipeline: wanted, stage }: BodyOf<typeof couplingEndpoints.create>,
): Promise<Reply> {
  const app = request.appNamed(named, 'operate');
  const pipeline = mustFindPipeline(request.view(), wanted, request.caller);
  mustWorkWithPipeline(request.view(), pipeline, request.caller);
  const other = coupledOf(request.view(), app)?.pipeline;
  if (other !== undefined && other.id !== pipeline.id) {
    throw new PlatformError(
      'invalid_params',
      `Cannot add "${app.name}" to the pipeline "${pipeline.name}": it is in "${other.name}"`,
      { hint: `Take it out first: kith pipelines:remove -a ${app.name}` },
    );
  }
  await request.command({ type: 'coupling.set', app: app.id, coupling: { pipeline: pipeline.id, stage } });
  return created(couplingResource(mustFindOf(request, app.id)));
}

async function update(
  request: ApiRequest,
  { stage }: BodyOf<typeof couplingEndpoints.update>,
): Promise<Reply> {
  const { app, pipeline } = mustFind(request);
  mustBeAllowed(request.caller, 'operate', app);
  await request.command({ type: 'coupling.set', app: app.id, coupling: { pipeline: pipeline.id, stage } });
  return ok(couplingResource(mustFindOf(request, app.id)));
}

async function destroy(request: ApiRequest): Promise<Reply> {
  const coupled = mustFind(request);
  mustBeAllowed(request.caller, 'operate', coupled.app);
  await request.command({ type: 'coupling.set', app: coupled.app.id, coupling: null });
  return ok(couplingResource(coupled));
}

/** How clients get the apps of a pipeline, all at once. */
function filterApps(request: ApiRequest, body: BodyOf<typeof couplingEndpoints.filterApps>): Reply {
  const ids = new Set(body.in.id);
  const names = new Set(body.in.name);
  const found = visibleApps(request.view(), request.caller).filter(
    ({ id, name }) => ids.has(id) || names.has(name),
  );
  return request.list(
    found.map((app) => presentApp(request, app)),
    ['id', 'name', 'updated_at'],
  );
}

function mustFind(request: ApiRequest): Coupled {
  const id = request.param('coupling');
  const found = visible(request).find(({ app }) => couplingUuid(app) === id.toLowerCase());
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the coupling "${id}".`, {
    resource: 'pipeline_coupling',
  });
}

function mustFindOf(request: ApiRequest, app: string): Coupled {
  const found = visible(request).find((each) => each.app.id === app);
  if (found !== undefined) return found;
  throw new PlatformError('conflict', 'The app was taken out of the pipeline in the same moment', {
    resource: 'pipeline_coupling',
  });
}
