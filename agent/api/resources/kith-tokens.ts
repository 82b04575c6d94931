import { randomBytes } from 'node:crypto';
import { PlatformError } from '../../../src/errors.ts';
import type { Token } from '../../../src/ledger/access/access-types.ts';
import { roleOf } from '../../../src/platform/access.ts';
import { tokenHash, tokenResource, tokenText } from '../../../src/platform/token.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { tokenEndpoints } from '../../../src/platform/endpoints/kith-tokens.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { notThere } from './results.ts';

/** Of a user who has a token made without a word of what they are. */
const ROLE_DEFAULT = 'member';

export const tokenRoutes = [
  route(tokenEndpoints.list, (request) => ok(liveTokens(request).map(tokenResource))),
  route(tokenEndpoints.create, create),
  route(tokenEndpoints.revoke, revoke),
];

/** Makes a token; this answer is the only place where it is ever shown. */
async function create(
  request: ApiRequest,
  { user, description, role, scope, expires_in }: BodyOf<typeof tokenEndpoints.create>,
): Promise<Reply> {
  const id = request.freshId('token');
  const text = tokenText(randomBytes(32));
  await request.command({
    type: 'token.create',
    token: id,
    hash: tokenHash(text),
    user,
    description: description ?? '',
    scopes: scope ?? ['global'],
    expiresAt: expires_in == null ? null : Date.now() + expires_in * 1_000,
    role: role ?? (roleOf(request.view(), user) === null ? ROLE_DEFAULT : null),
  });
  const token = request.api.host.view().tokens.get(id);
  if (token === undefined) throw notThere('token');
  return created({ ...tokenResource(token), token: text });
}

async function revoke(request: ApiRequest): Promise<Reply> {
  const id = request.param('token');
  const token = liveTokens(request).find((each) => each.token === id);
  if (token === undefined) {
    throw new PlatformError('not_found', `Couldn't find the token "${id}".`, { resource: 'token' });
  }
  await request.command({ type: 'token.revoke', token: id });
  return ok(tokenResource(token));
}

function liveTokens({ api }: ApiRequest): readonly Token[] {
  return [...api.host.view().tokens.values()]
    .filter((token) => !token.revoked)
    .sort((a, b) => a.createdAt - b.createdAt || (a.token < b.token ? -1 : 1));
}
