import type { z } from 'zod';
import { PlatformError } from '../../../src/errors.ts';
import type { Command } from '../../../src/ledger/command.ts';
import type { App } from '../../../src/ledger/view.ts';
import {
  mustFindRelease,
  mustFindSlug,
  releaseResource,
  releasesInOrder,
} from '../../../src/platform/release.ts';
import { releaseCreateSchema } from '../../../src/platform/schemas.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';
import { madeRelease } from './results.ts';

export const releaseRoutes = [
  route('GET', '/apps/:app/releases', list),
  route('POST', '/apps/:app/releases', create),
  route('GET', '/apps/:app/releases/:release', (request) => {
    const app = request.app();
    return ok(releaseResource(app, mustFindRelease(app, request.param('release'))));
  }),
];

function list(request: ApiRequest): Reply {
  const app = request.app();
  const releases = releasesInOrder(app).map((release) => releaseResource(app, release));
  return request.list(releases, ['version', 'id', 'created_at']);
}

async function create(request: ApiRequest): Promise<Reply> {
  const params = await request.body(releaseCreateSchema);
  const ops = await request.command(commandOf(request.app(), params));
  const app = request.app();
  return created(releaseResource(app, madeRelease(request, app, ops)));
}

/** A rollback (`release`), or a slug of the app released anew (`slug`), which is how clients retry a release. */
function commandOf(app: App, params: z.output<typeof releaseCreateSchema>): Command {
  if (params.release !== undefined) {
    return { type: 'release.rollback', app: app.id, to: mustFindRelease(app, params.release).id };
  }
  if (params.slug === undefined) {
    throw new PlatformError('invalid_params', 'Invalid parameters: "release" or "slug" must be given', {
      hint: '`release` names one to go back to, `slug` one to release again',
    });
  }
  const slug = mustFindSlug(app, params.slug);
  const description = params.description ?? `Deployed ${(slug.commit ?? slug.id).slice(0, 8)}`;
  return { type: 'release.deploy', app: app.id, slug, description };
}
