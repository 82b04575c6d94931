import { PlatformError } from '../../../src/errors.ts';
import { accountResource, userResource } from '../../../src/platform/account.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { accountEndpoints } from '../../../src/platform/endpoints/account.ts';
import { userUuid } from '../../../src/platform/ids.ts';
import { findMember } from '../../../src/platform/team.ts';
import { sameUser } from '../../../src/rights.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const accountRoutes = [
  route(accountEndpoints.show, show),
  route(accountEndpoints.update, update),
  // Nobody is limited; clients show the number.
  route(accountEndpoints.rateLimits, () => ok({ remaining: 4_500 })),
  route(accountEndpoints.user, user),
];

function show({ context }: ApiRequest): Reply {
  return ok(accountResource(context.user));
}

/** Everything that a user did bears their name, so that it cannot become another. */
function update(request: ApiRequest, { email, name }: BodyOf<typeof accountEndpoints.update>): Reply {
  const { user } = request.caller;
  const wanted = [email, name].find((each) => each != null && !sameUser(each, user));
  if (wanted != null) {
    throw new PlatformError('invalid_params', `Cannot call "${user}" "${wanted}": a user's name stays`, {
      hint: 'An admin makes another user: `kith tokens:create`, `kith apps:transfer`, `kith members:remove`',
    });
  }
  return show(request);
}

/** Others are shown by those who may see that they are there, and by nobody else: they would be guessed. */
function user(request: ApiRequest): Reply {
  const asked = request.param('user');
  const { caller } = request;
  if (asked === '~' || sameUser(asked, caller.user) || asked === userUuid(caller.user)) return show(request);
  const isInside = caller.role !== null && caller.role !== 'collaborator';
  const found = isInside ? findMember(request.view(), asked) : null;
  if (found !== null) return ok(userResource(found.user));
  throw new PlatformError('not_found', `Couldn't find the user "${asked}".`, { resource: 'user' });
}
