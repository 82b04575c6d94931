import { randomBytes } from 'node:crypto';
import { PlatformError } from '../../../src/errors.ts';
import type { Token } from '../../../src/ledger/access/access-types.ts';
import { roleOf } from '../../../src/platform/access.ts';
import { authorizationResource } from '../../../src/platform/authorization.ts';
import type { AuthorizationResource } from '../../../src/platform/authorization.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { authorizationEndpoints } from '../../../src/platform/endpoints/authorizations.ts';
import { isExpired, tokenHash, tokenText } from '../../../src/platform/token.ts';
import { sameUser } from '../../../src/rights.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { tokenOf } from '../auth.ts';
import { route } from '../router.ts';

/** Each request is compared with all tokens that there are. */
const AUTHORIZATIONS_MAX = 200;

export const authorizationRoutes = [
  route(authorizationEndpoints.list, (request) => ok(ownTokens(request).map((each) => show(request, each)))),
  route(authorizationEndpoints.create, create),
  route(authorizationEndpoints.info, info),
  route(authorizationEndpoints.update, update),
  route(authorizationEndpoints.revoke, revoke),
  route(authorizationEndpoints.regenerate, regenerate),
  route(authorizationEndpoints.sessions, () => ok([])),
  route(authorizationEndpoints.endSession, () => {
    throw new PlatformError('not_found', 'There are no sessions here, only tokens', {
      resource: 'session',
      hint: '`kith authorizations:revoke` makes a token worthless',
    });
  }),
  route(authorizationEndpoints.clients, () => ok([])),
];

/**
 * Makes a token of the asker's own user. There are no passwords: who sends `email:TOKEN`, as `auth:login` does with what
 * it takes for a password, gets a token beside the one that they had. It lasts no longer than that.
 */
async function create(
  request: ApiRequest,
  { description, expires_in, scope }: BodyOf<typeof authorizationEndpoints.create>,
): Promise<Reply> {
  const { caller } = request;
  if (ownTokens(request).length >= AUTHORIZATIONS_MAX) {
    throw new PlatformError('invalid_params', `Cannot make a token: you have ${AUTHORIZATIONS_MAX}`, {
      hint: 'See `kith authorizations`, and revoke those that you need no more',
    });
  }
  const id = request.freshId('token');
  const text = tokenText(randomBytes(32));
  await request.command({
    type: 'token.create',
    token: id,
    hash: tokenHash(text),
    user: caller.user,
    description: description ?? '',
    scopes: scope ?? ['global'],
    expiresAt: endOf(request, expires_in ?? null),
    // The user of the local socket is an admin there alone: the token is to be worth as much.
    role: caller.token === null && roleOf(request.view(), caller.user) === null ? caller.role : null,
  });
  return created(show(request, mustFind(request, id), text));
}

/** The earlier of what is asked for and the end of the asker's own token; null: never. */
function endOf(request: ApiRequest, seconds: number | null): number | null {
  return earlier(seconds === null ? null : Date.now() + seconds * 1_000, endOfOwn(request));
}

function endOfOwn({ api, caller }: ApiRequest): number | null {
  return caller.token === null ? null : (api.host.view().tokens.get(caller.token)?.expiresAt ?? null);
}

/** Null: never. */
function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/**
 * `~` is the token that is asked with, where it lasts: the official CLI's `auth:logout` leaves that one alone, and
 * revokes the one that a login made.
 */
function info(request: ApiRequest): Reply {
  const token = mustFind(request);
  if (request.param('authorization') === '~' && token.expiresAt !== null) throw notFound('~');
  return ok(show(request, token));
}

async function update(
  request: ApiRequest,
  { description }: BodyOf<typeof authorizationEndpoints.update>,
): Promise<Reply> {
  const { token } = mustFind(request);
  if (description != null) await request.command({ type: 'token.update', token, description });
  return ok(show(request, mustFind(request, token)));
}

async function revoke(request: ApiRequest): Promise<Reply> {
  const token = mustFind(request);
  await request.command({ type: 'token.revoke', token: token.token });
  return ok(show(request, token));
}

/**
 * The new token is good for what the old one was, and as long as that was, or as the one that it was asked for with is; the
 * old one is refused from now on.
 */
async function regenerate(request: ApiRequest): Promise<Reply> {
  const old = mustFind(request);
  const text = tokenText(randomBytes(32));
  const expiresAt = earlier(old.expiresAt, endOfOwn(request));
  await request.command({ type: 'token.update', token: old.token, hash: tokenHash(text), expiresAt });
  return ok(show(request, mustFind(request, old.token), text));
}

function ownTokens({ api, caller }: ApiRequest): readonly Token[] {
  return [...api.host.view().tokens.values()]
    .filter((token) => !token.revoked && sameUser(token.user, caller.user) && !isExpired(token, Date.now()))
    .sort((a, b) => a.createdAt - b.createdAt || (a.token < b.token ? -1 : 1));
}

function mustFind(request: ApiRequest, asked = request.param('authorization')): Token {
  const id = asked === '~' ? request.caller.token : asked;
  const found = ownTokens(request).find(({ token }) => token === id);
  if (found === undefined) throw notFound(asked);
  return found;
}

function notFound(asked: string): PlatformError {
  return new PlatformError('not_found', `Couldn't find the authorization "${asked}".`, {
    resource: 'authorization',
    hint: '`kith authorizations` lists your own',
  });
}

/** @param text the token where it was just made; of the asker's own it is known anyhow */
function show(request: ApiRequest, token: Token, text: string | null = null): AuthorizationResource {
  const isOwn = token.token === request.caller.token;
  const known = text ?? (isOwn ? tokenOf(request.message.headers.authorization) : null);
  return authorizationResource(token, known, Date.now());
}
