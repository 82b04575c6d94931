import { Readable } from 'node:stream';
import { PlatformError } from '../../../src/errors.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import type { AppId, ReleaseId } from '../../../src/ids.ts';
import type { Command } from '../../../src/ledger/command.ts';
import { isInReach, uploadsInReach } from '../../../src/ledger/reach.ts';
import {
  mustFindRelease,
  mustFindSlug,
  releaseResource,
  releasesInOrder,
} from '../../../src/platform/release.ts';
import type { ReleaseResource } from '../../../src/platform/release.ts';
import { grantOf } from '../../../src/platform/grant.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { releaseEndpoints } from '../../../src/platform/endpoints/releases.ts';
import type { Release } from '../../../src/ledger/releases/release-types.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { reasonOf } from '../open-streams.ts';
import { outputSecret, readOutputSecret } from '../output-secret.ts';
import { streamOutput } from '../output-stream.ts';
import { route } from '../router.ts';
import { madeRelease } from './results.ts';

export const releaseRoutes = [
  route(releaseEndpoints.list, list),
  route(releaseEndpoints.create, create),
  route(releaseEndpoints.info, (request) => {
    const app = request.app();
    return ok(presentRelease(request, app, mustFindRelease(app, request.param('release'))));
  }),
  route(releaseEndpoints.output, output),
];

function list(request: ApiRequest): Reply {
  const app = request.app();
  const releases = releasesInOrder(app).map((release) => presentRelease(request, app, release));
  return request.list(releases, ['version', 'id', 'created_at']);
}

async function create(request: ApiRequest, params: BodyOf<typeof releaseEndpoints.create>): Promise<Reply> {
  const ops = await request.command(commandOf(request.app(), params));
  const app = request.app();
  return created(presentRelease(request, app, madeRelease(request, app, ops)));
}

/** What the release command wrote, live while it runs. As on Heroku it takes no token, so the URL is a secret. */
async function output(request: ApiRequest): Promise<null> {
  const { api, response } = request;
  const release = request.api.host
    .view()
    .apps.get(request.param('app') as AppId)
    ?.releases.get(request.param('release') as ReleaseId);
  const asked = { app: request.param('app') as AppId, permission: 'view' } as const;
  const secret = request.param('secret');
  const grant = release === undefined ? null : readOutputSecret(request.view(), release.id, secret, asked);
  if (
    release === undefined ||
    grant === null ||
    (release.attempts.length === 0 && release.settled === null)
  ) {
    throw new PlatformError('not_found', 'The release command has not been started yet.', {
      resource: 'release',
      hint:
        grant !== null ? 'Try again in a moment' : 'Ask for the release again: the URL of its output changes',
    });
  }
  using watch = api.openStreams.watch(grant);
  if (watch.signal.aborted) throw reasonOf(watch.signal);
  const left = new AbortController();
  response.once('close', () => left.abort());
  const signal = AbortSignal.any([api.closing, left.signal]);
  const stream = Readable.from(api.releases.output(request.param('app') as AppId, release.id, signal));
  await streamOutput(stream, response, { closing: api.closing, ended: watch.signal });
  return null;
}

export function presentRelease(request: ApiRequest, app: App, release: Release): ReleaseResource {
  const path = `${request.baseUrl}/apps/${app.id}/releases/${release.id}/output`;
  const grant = grantOf(request.view(), request.caller, 'view', app.id);
  return releaseResource(app, release, () => `${path}/${outputSecret(release.id, grant)}`);
}

/** A rollback (`release`), or a slug of the app released anew (`slug`), which is how clients retry a release. */
function commandOf(app: App, params: BodyOf<typeof releaseEndpoints.create>): Command {
  if (params.release !== undefined) {
    return { type: 'release.rollback', app: app.id, to: mustFindRelease(app, params.release).id };
  }
  if (params.slug === undefined) {
    throw new PlatformError('invalid_params', 'Invalid parameters: "release" or "slug" must be given', {
      hint: '`release` names one to go back to, `slug` one to release again',
    });
  }
  const slug = mustFindSlug(app, params.slug);
  if (!isInReach(app, slug) && !uploadsInReach(app).some(({ id }) => id === slug.id)) {
    throw new PlatformError(
      'invalid_params',
      `Cannot release the slug "${params.slug}" of "${app.name}": it is not kept any more`,
      { hint: 'Build or send it again: only the latest slugs are kept' },
    );
  }
  const description = params.description ?? `Deployed ${(slug.commit ?? slug.id).slice(0, 8)}`;
  return { type: 'release.deploy', app: app.id, slug, description };
}
