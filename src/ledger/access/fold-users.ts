import type { Role } from '../../rights.ts';
import type { OpOf } from '../op-graph.ts';
import type { UserEmail } from '../values.ts';
import type { User } from './access-types.ts';
import type { AccessState } from './fold-access.ts';

/**
 * Who has a role. A user of whom nothing was ever said is an admin for as long as they have a token that is older than
 * roles: whoever made it meant it for everything.
 */
export function toUsers({ users, tokens, revoked }: AccessState): ReadonlyMap<UserEmail, User> {
  const shown = new Map<UserEmail, User>();
  for (const [user, [latest]] of users) {
    if (latest === undefined || latest.value === null) continue;
    shown.set(user, { user, role: latest.value, since: latest.hlc.ms });
  }
  for (const [id, token] of tokens) {
    const user = token.body.user.toLowerCase();
    const isOld = token.body.scopes === undefined && !revoked.has(id) && !users.has(user);
    if (isOld) shown.set(user, earliest(shown.get(user), user, token));
  }
  return shown;
}

function earliest(known: User | undefined, user: UserEmail, { hlc }: OpOf<'token.create'>): User {
  const role: Role = 'admin';
  return { user, role, since: Math.min(known?.since ?? hlc.ms, hlc.ms) };
}
