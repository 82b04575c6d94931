import type { UserEmail } from '../ledger/values.ts';
import { userUuid } from './ids.ts';
import { isoTime } from './time.ts';

export type UserResource = { readonly id: string; readonly email: string };

export function userResource(user: UserEmail): UserResource {
  return { id: userUuid(user), email: user };
}

export type AccountResource = ReturnType<typeof accountResource>;

/** A user is whom a token was made for: there is no sign-up, so the account says little more than the name. */
export function accountResource(user: UserEmail) {
  return {
    ...userResource(user),
    name: user,
    verified: true,
    two_factor_authentication: false,
    allow_tracking: false,
    beta: false,
    default_team: null,
    default_organization: null,
    federated: false,
    created_at: isoTime(0),
    updated_at: isoTime(0),
    last_login: null,
  };
}
