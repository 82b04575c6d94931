import { accountResource } from '../../../src/platform/account.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const accountRoutes = [
  route('GET', '/account', show),
  route('GET', '/users/~', show),
  // Nobody is limited; clients show the number.
  route('GET', '/account/rate-limits', () => ok({ remaining: 4_500 })),
];

function show({ context }: ApiRequest): Reply {
  return ok(accountResource(context.user));
}
