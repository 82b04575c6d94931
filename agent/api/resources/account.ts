import { accountResource } from '../../../src/platform/account.ts';
import { accountEndpoints } from '../../../src/platform/endpoints/account.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const accountRoutes = [
  route(accountEndpoints.show, show),
  route(accountEndpoints.self, show),
  // Nobody is limited; clients show the number.
  route(accountEndpoints.rateLimits, () => ok({ remaining: 4_500 })),
];

function show({ context }: ApiRequest): Reply {
  return ok(accountResource(context.user));
}
