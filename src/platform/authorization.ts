import type { Token } from '../ledger/access/access-types.ts';
import { userResource } from './account.ts';
import { uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

/** A token as an OAuth authorization, which is what Heroku calls one. */
export type AuthorizationResource = ReturnType<typeof authorizationResource>;

const DESCRIPTION_DEFAULT = 'Long-lived user authorization';

/**
 * @param text the token itself where it is known: when it was just made, and to whoever asks with it. The ledger holds
 *   a hash.
 * @param now wall ms
 */
export function authorizationResource(token: Token, text: string | null, now: number) {
  const { expiresAt, createdAt, updatedAt } = token;
  const expires_in = expiresAt === null ? null : Math.max(0, Math.ceil((expiresAt - now) / 1_000));
  return {
    id: token.token,
    description: token.description === '' ? DESCRIPTION_DEFAULT : token.description,
    scope: token.scopes,
    ...(text === null
      ? {}
      : { access_token: { id: uuidOf('access token', token.hash), expires_in, token: text } }),
    expires_at: expiresAt === null ? null : isoTime(expiresAt),
    client: null,
    grant: null,
    refresh_token: null,
    session: null,
    user: userResource(token.user),
    created_at: isoTime(createdAt),
    updated_at: isoTime(updatedAt),
  };
}
