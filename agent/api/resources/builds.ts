import { Readable } from 'node:stream';
import { mustBeOpenToAll } from '../../../src/builds/buildpack-choice.ts';
import { PlatformError } from '../../../src/errors.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import { buildResource } from '../../../src/platform/build.ts';
import type { AnyBuild, BuildResource } from '../../../src/platform/build.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { buildEndpoints } from '../../../src/platform/endpoints/builds.ts';
import { grantOf } from '../../../src/platform/grant.ts';
import { created, ok } from '../api.ts';
import type { Api, ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { reasonOf } from '../open-streams.ts';
import { outputSecret, readOutputSecret } from '../output-secret.ts';
import { streamOutput } from '../output-stream.ts';
import { route } from '../router.ts';

export const buildRoutes = [
  route(buildEndpoints.list, list),
  route(buildEndpoints.create, create),
  route(buildEndpoints.info, async (request) => {
    const app = request.app();
    return ok(present(request, app, await mustFindBuild(request, app)));
  }),
  route(buildEndpoints.cancel, cancel),
  route(buildEndpoints.output, output),
  route(buildEndpoints.purgeCache, purgeCache),
];

async function list(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const found = await buildsOf(request, app);
  const builds = found.map((build) => present(request, request.app(), build));
  return request.list(builds, ['created_at', 'id', 'started_at']);
}

/** Starts a build of an archive that was put to a source URL, or that can be fetched. */
async function create(
  request: ApiRequest,
  { source_blob, buildpacks }: BodyOf<typeof buildEndpoints.create>,
): Promise<Reply> {
  const { api, context } = request;
  const app = request.app();
  const build = request.freshId('build');
  const named = buildpacks?.map(buildpackNamed) ?? null;
  if (named !== null && request.caller.role !== 'admin') mustBeOpenToAll(named, app.buildpacks);
  const source = await api.sources.readUrl(source_blob.url, source_blob.checksum ?? null);
  const version = source_blob.version ?? null;
  const { user } = context;
  api.tasks.run('build', () =>
    api.buildJobs.run({
      app: app.id,
      build,
      user,
      request: context.request,
      source,
      version,
      bundle: null,
      ...(named === null ? {} : { buildpacks: named }),
    }),
  );
  const found = api.buildJobs.of(app).find((each) => each.build === build);
  if (found === undefined) throw notFound(app, build);
  return created(present(request, app, found));
}

/** What a build writes. As on Heroku it takes no token, so the URL is a secret. */
async function output(request: ApiRequest): Promise<null> {
  const { api, response } = request;
  const app = request.app();
  const asked = { app: app.id, permission: 'view' } as const;
  const grant = readOutputSecret(request.view(), request.param('build'), request.param('secret'), asked);
  if (grant === null) {
    throw new PlatformError(
      'not_found',
      `Couldn't find the output of the build "${request.param('build')}".`,
      {
        resource: 'build',
        hint: 'Ask for the build again: the URL of its output changes',
      },
    );
  }
  using watch = api.openStreams.watch(grant);
  if (watch.signal.aborted) throw reasonOf(watch.signal);
  const build = await mustFindBuild(request, app);
  const left = new AbortController();
  response.once('close', () => left.abort());
  const signal = AbortSignal.any([api.closing, left.signal]);
  const stream = await openOutput(api, app, build, signal);
  await streamOutput(stream, response, { closing: api.closing, ended: watch.signal });
  return null;
}

/** Live while it is made, at whichever peer, from its start; what is left to say of a build that could not even begin. */
async function openOutput(api: Api, app: App, build: AnyBuild, signal: AbortSignal): Promise<Readable> {
  const known = await api.clusterBuilds.read(build.build, signal);
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
  await request.api.clusterBuilds.purgeCaches(app.id);
  return ok({ app: { id: app.id } });
}

/** Breaks it off, at whichever peer it runs, and answers when it has ended. */
async function cancel(request: ApiRequest): Promise<Reply> {
  const { api } = request;
  const app = request.app();
  const found = await mustFindBuild(request, app);
  const { build, status } = found;
  const isStopped = status === 'pending' && (await api.clusterBuilds.cancel(build, request.context.user));
  if (!isStopped) {
    throw new PlatformError(
      'invalid_params',
      `Cannot cancel the build "${build}" of "${app.name}": it has ended`,
    );
  }
  // No peer runs it any more, and the ledger is yet to hear of its end: for a moment nobody knows it.
  return ok(present(request, app, { ...found, status: 'failed' }));
}

/** Those of the ledger, and those under way at any peer. */
async function buildsOf({ api }: ApiRequest, app: App): Promise<readonly AnyBuild[]> {
  const underWay = await api.clusterBuilds.underWay(app.id);
  const known = new Map<string, AnyBuild>(underWay.map((build) => [build.build, build]));
  for (const build of api.buildJobs.of(app)) known.set(build.build, build);
  return [...known.values()].sort((a, b) => a.createdAt - b.createdAt);
}

/** Other peers are asked only for what is not known here. */
async function mustFindBuild(request: ApiRequest, app: App): Promise<AnyBuild> {
  const isIt = (build: AnyBuild): boolean => build.build === request.param('build');
  const found = request.api.buildJobs.of(app).find(isIt) ?? (await buildsOf(request, app)).find(isIt);
  if (found !== undefined) return found;
  throw notFound(app, request.param('build'));
}

function buildpackNamed({
  url,
  name,
}: {
  url?: string | null | undefined;
  name?: string | null | undefined;
}): string {
  const given = url ?? name;
  if (given != null) return given;
  throw new PlatformError('invalid_params', 'Invalid parameter "buildpacks": each needs a url or a name');
}

function notFound(app: App, build: string): PlatformError {
  return new PlatformError('not_found', `Couldn't find the build "${build}" of "${app.name}".`, {
    resource: 'build',
    hint: 'See `kith builds` for those there are',
  });
}

function present(request: ApiRequest, app: App, build: AnyBuild): BuildResource {
  const path = `${request.baseUrl}/apps/${app.id}/builds/${build.build}/output`;
  return buildResource(
    app,
    build,
    `${path}/${outputSecret(build.build, grantOf(request.view(), request.caller, 'view', app.id))}`,
  );
}
