import { Readable } from 'node:stream';
import { PlatformError } from '../../../src/errors.ts';
import type { App } from '../../../src/ledger/view.ts';
import { buildResource } from '../../../src/platform/build.ts';
import type { AnyBuild, BuildResource } from '../../../src/platform/build.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { buildEndpoints } from '../../../src/platform/endpoints/builds.ts';
import { created, ok } from '../api.ts';
import type { Api, ApiRequest, Reply } from '../api.ts';
import { streamOutput } from '../output-stream.ts';
import { route } from '../router.ts';

export const buildRoutes = [
  route(buildEndpoints.list, list),
  route(buildEndpoints.create, create),
  route(buildEndpoints.info, (request) => {
    const app = request.app();
    return ok(present(request, app, mustFindBuild(request, app)));
  }),
  route(buildEndpoints.output, output),
  route(buildEndpoints.purgeCache, purgeCache),
];

function list(request: ApiRequest): Reply {
  const app = request.app();
  const builds = request.api.buildJobs.of(app).map((build) => present(request, app, build));
  return request.list(builds, ['created_at', 'id', 'started_at']);
}

/** Starts a build of an archive that was put to a source URL, or that can be fetched. */
async function create(
  request: ApiRequest,
  { source_blob }: BodyOf<typeof buildEndpoints.create>,
): Promise<Reply> {
  const { api, context } = request;
  const app = request.app();
  const build = request.freshId('build');
  const source = await api.sources.readUrl(source_blob.url);
  const version = source_blob.version ?? null;
  const { user } = context;
  api.tasks.run('build', () =>
    api.buildJobs.run({ app: app.id, build, user, request: context.request, source, version, bundle: null }),
  );
  const found = api.buildJobs.of(app).find((each) => each.build === build);
  if (found === undefined) throw notFound(app, build);
  return created(present(request, app, found));
}

async function output(request: ApiRequest): Promise<null> {
  const { api, response } = request;
  const app = request.app();
  const build = mustFindBuild(request, app);
  await streamOutput(openOutput(api, app, build), response, api.closing);
  return null;
}

/** Live while it is made here, from its start; what is left to say of a build that could not even begin. */
function openOutput(api: Api, app: App, build: AnyBuild): Readable {
  const known = api.builds.output(build.build);
  if (known !== null) return known;
  const reason = api.buildJobs.reason(build.build);
  if (reason !== null) return Readable.from([` !     ${reason}\n`]);
  throw new PlatformError(
    'not_found',
    `Couldn't find the output of the build "${build.build}" of "${app.name}".`,
    { resource: 'build', hint: 'Outputs are kept for a while only' },
  );
}

async function purgeCache(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  await request.api.builds.purgeCache(app.id);
  return ok({ app: { id: app.id } });
}

function mustFindBuild({ api, params }: ApiRequest, app: App): AnyBuild {
  const found = api.buildJobs.of(app).find((build) => build.build === params.build);
  if (found !== undefined) return found;
  throw notFound(app, params.build ?? '');
}

function notFound(app: App, build: string): PlatformError {
  return new PlatformError('not_found', `Couldn't find the build "${build}" of "${app.name}".`, {
    resource: 'build',
    hint: 'While a build runs, only the peer that took it knows it',
  });
}

function present({ baseUrl }: ApiRequest, app: App, build: AnyBuild): BuildResource {
  return buildResource(app, build, `${baseUrl}/apps/${app.id}/builds/${build.build}/output`);
}
