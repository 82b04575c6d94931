import type { UserEmail } from '../ledger/values.ts';
import type { View } from '../ledger/view.ts';
import { sameUser } from '../rights.ts';
import { userUuid } from './ids.ts';

/**
 * The user of an e-mail address or an id, among those that the cluster has heard of.
 * @param self who asks: the local socket's user is in no list
 */
export function findUser(view: View, asked: string, self: UserEmail): UserEmail | null {
  if (asked === '~') return self;
  const known = new Set<UserEmail>([self]);
  for (const { user } of view.tokens.values()) known.add(user);
  for (const user of view.users.keys()) known.add(user);
  for (const { owner, collaborators } of view.apps.values()) {
    known.add(owner);
    for (const { user } of collaborators.values()) known.add(user);
  }
  return [...known].find((user) => sameUser(user, asked) || userUuid(user) === asked) ?? null;
}
