import { PlatformError } from '../../errors.ts';
import { sameUser } from '../../rights.ts';
import type { Role } from '../../rights.ts';
import type { Command } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import type { UserEmail } from '../values.ts';
import { headsOf } from '../register.ts';
import { collaboratorDraft } from './decide-collaborator.ts';

/**
 * Gives a user a role, or takes all that they have: a user without a role keeps no token and no permission, and
 * whatever was made for them on the other side of a split is good for their own apps at most.
 */
export function setUser(
  fold: Fold,
  { user, role }: Extract<Command, { type: 'user.set' }>,
): readonly OpDraft[] {
  if (role !== 'admin') mustLeaveAdmin(fold, user);
  return role === null
    ? [...roleDraft(fold, user, null), ...tokensOf(fold, user), ...permissionsOf(fold, user)]
    : roleDraft(fold, user, role);
}

/** Writes the role down, also where a user has it by an older token alone. */
export function roleDraft({ state }: Fold, name: UserEmail, role: Role | null): readonly OpDraft[] {
  const user = name.toLowerCase();
  const register = state.access.users.get(user);
  if (register?.[0]?.value === role && register.length === 1) return [];
  return [{ parents: headsOf(register), body: { kind: 'user.set', user, role } }];
}

function tokensOf({ view }: Fold, user: UserEmail): readonly OpDraft[] {
  const live = [...view.tokens.values()].filter((token) => !token.revoked && sameUser(token.user, user));
  return live.map(({ token }) => ({ parents: [], body: { kind: 'token.revoke', token } }));
}

function permissionsOf({ state }: Fold, user: UserEmail): readonly OpDraft[] {
  return [...state.apps.values()]
    .filter(({ destroyed }) => !destroyed)
    .flatMap((app) => collaboratorDraft(app, user, null));
}

/** Whoever opens the local socket of a host could mend it, but nobody else. */
export function mustLeaveAdmin({ view }: Fold, user: UserEmail): void {
  const admins = [...view.users.values()].filter((known) => known.role === 'admin');
  if (admins.length === 0 || admins.some((admin) => !sameUser(admin.user, user))) return;
  throw new PlatformError('invalid_params', `Cannot take the role from "${user}": there is no other admin`, {
    hint: 'Make another user an admin first: `kith members:add EMAIL --role admin`',
  });
}
