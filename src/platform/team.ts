import type { User } from '../ledger/access/access-types.ts';
import type { View } from '../ledger/view.ts';
import { PERMISSIONS, sameUser } from '../rights.ts';
import type { Permission, Role } from '../rights.ts';
import { userResource } from './account.ts';
import { userUuid, uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

export type TeamRef = { readonly id: string; readonly name: string };
export type MemberResource = ReturnType<typeof memberResource>;
export type TeamResource = ReturnType<typeof teamResource>;

/** The cluster, as the one team that all apps belong to. */
export function teamRef({ cluster, clusterName }: Pick<View, 'cluster' | 'clusterName'>): TeamRef {
  return { id: uuidOf('team', cluster ?? ''), name: clusterName };
}

/** @param role of the asker */
export function teamResource(view: View, role: Role | null) {
  return {
    ...teamRef(view),
    type: 'team',
    role: role ?? 'collaborator',
    default: false,
    credit_card_collections: false,
    provisioned_licenses: false,
    membership_limit: null,
    enterprise_account: null,
    identity_provider: null,
    created_at: isoTime(0),
    updated_at: isoTime(0),
  };
}

export function memberResource({ user, role, since }: User) {
  return {
    ...userResource(user),
    role,
    user: { ...userResource(user), name: user },
    federated: false,
    identity_provider: null,
    two_factor_authentication: false,
    created_at: isoTime(since),
    updated_at: isoTime(since),
  };
}

/** Who has a role, by name. */
export function membersOf({ users }: View): readonly User[] {
  return [...users.values()].sort((a, b) => (a.user < b.user ? -1 : 1));
}

/** @param asked an e-mail address, or a user's id */
export function findMember(view: View, asked: string): User | null {
  return membersOf(view).find(({ user }) => sameUser(user, asked) || userUuid(user) === asked) ?? null;
}

const DESCRIPTIONS: Readonly<Record<Permission, string>> = {
  view: 'See the app, its releases, dynos and logs',
  deploy: 'Fetch and push code, read and change config vars, release and roll back',
  operate: 'Scale and restart dynos, run commands, change add-ons, domains and maintenance mode',
  manage: 'Rename, transfer and destroy the app, and say who may do what with it',
};

export function permissionResource(name: Permission) {
  return { name, description: DESCRIPTIONS[name] };
}

export const PERMISSION_RESOURCES = PERMISSIONS.map(permissionResource);

/**
 * What the official CLI asks a team for. With this one on, its `access:add` sends the permissions that it is given;
 * without, it would drop them in silence and so let in somebody to more than was said.
 */
export const TEAM_FEATURES = [
  {
    id: uuidOf('team feature', 'org-access-controls'),
    name: 'org-access-controls',
    display_name: 'Access controls',
    description: 'Permissions on apps are given one by one',
    doc_url: 'https://devcenter.heroku.com/articles/app-permissions',
    feedback_email: null,
    state: 'general',
    enabled: true,
    created_at: isoTime(0),
    updated_at: isoTime(0),
  },
];
