import { userResource } from '../../../src/platform/account.ts';
import { appRef } from '../../../src/platform/app.ts';
import { isoTime } from '../../../src/platform/time.ts';
import { absentEndpoints } from '../../../src/platform/endpoints/absent.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

/**
 * Lists that Heroku's clients read along with what they are asked for, of things that this cluster has none of: an
 * answer of 404 would fail `apps:info` and the like.
 */
export const absentRoutes = [
  route(absentEndpoints.addons, noneOfApp),
  route(absentEndpoints.addonAttachments, noneOfApp),
  route(absentEndpoints.drains, noneOfApp),
  route(absentEndpoints.certs, noneOfApp),
  route(absentEndpoints.webhooks, noneOfApp),
  route(absentEndpoints.accountFeatures, () => ok([])),
  route(absentEndpoints.keys, () => ok([])),
  route(absentEndpoints.allAttachments, () => ok([])),
  route(absentEndpoints.allAddons, () => ok([])),
  route(absentEndpoints.pipelines, () => ok([])),
  route(absentEndpoints.teams, () => ok([])),
  route(absentEndpoints.authorizations, () => ok([])),
  route(absentEndpoints.collaborators, collaborators),
];

function noneOfApp(request: ApiRequest): Reply {
  request.app();
  return ok([]);
}

/** Whoever holds a token may do anything; the owner is who made the app. */
function collaborators(request: ApiRequest): Reply {
  const app = request.app();
  const times = { created_at: isoTime(app.createdAt), updated_at: isoTime(app.createdAt) };
  return ok([
    { id: app.id, app: appRef(app), user: userResource(app.owner), role: 'owner', permissions: [], ...times },
  ]);
}
