import { PlatformError } from '../../../src/errors.ts';
import { absentEndpoints } from '../../../src/platform/endpoints/absent.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

/**
 * Lists that Heroku's clients read along with what they are asked for, of things that this cluster has none of: an
 * answer of 404 would fail `apps:info` and the like.
 */
export const absentRoutes = [
  route(absentEndpoints.webhooks, noneOfApp),
  route(absentEndpoints.accountFeatures, () => ok([])),
  route(absentEndpoints.accountFeature, accountFeature),
  route(absentEndpoints.keys, () => ok([])),
];

function noneOfApp(request: ApiRequest): Reply {
  request.app();
  return ok([]);
}

/**
 * With it, the official CLI asks us for the repository of a pipeline; without it, a service of its vendor, and sends that
 * our token.
 */
const REPOSITORIES_API = 'dashboard-repositories-api';

/** Accounts have no features to switch; clients ask here first whether one of an app is the account's. */
function accountFeature(request: ApiRequest): Reply {
  const name = request.param('feature');
  if (name === REPOSITORIES_API) return ok({ name, enabled: true, state: 'general' });
  throw new PlatformError('not_found', `Couldn't find the feature "${name}" of the account.`, {
    resource: 'account_feature',
    hint: 'Features are those of an app: name one',
  });
}
