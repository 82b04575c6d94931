import { userResource } from '../../../src/platform/account.ts';
import { appRef } from '../../../src/platform/app.ts';
import { isoTime } from '../../../src/platform/time.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

/**
 * Lists that Heroku's clients read along with what they are asked for, of things that this cluster has none of: an
 * answer of 404 would fail `apps:info` and the like.
 */
export const absentRoutes = [
  ...['addons', 'addon-attachments', 'log-drains', 'sni-endpoints', 'webhooks'].map((name) =>
    route('GET', `/apps/:app/${name}`, noneOfApp),
  ),
  ...['/account/features', '/account/keys', '/addon-attachments', '/addons', '/pipelines', '/teams'].map(
    (path) => route('GET', path, () => ok([])),
  ),
  route('GET', '/oauth/authorizations', () => ok([])),
  route('GET', '/apps/:app/collaborators', collaborators),
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
