import type { App } from '../ledger/apps/app-types.ts';
import type { UserEmail } from '../ledger/values.ts';
import type { View } from '../ledger/view.ts';
import { sameUser } from '../rights.ts';
import type { Permission } from '../rights.ts';
import { permissionsOn, roleOf } from './access.ts';
import { userResource } from './account.ts';
import { appRef } from './app.ts';
import { userUuid, uuidOf } from './ids.ts';
import { permissionResource } from './team.ts';
import { isoTime } from './time.ts';

export type CollaboratorResource = ReturnType<typeof collaboratorResource>;

/** Somebody who may do something with an app by more than their role. */
type Row = { readonly user: UserEmail; readonly permissions: readonly Permission[]; readonly at: number };

/** The owner, then the others by name. */
export function collaboratorsOf(view: View, app: App): readonly CollaboratorResource[] {
  return rows(app).map((row) => collaboratorResource(view, app, row));
}

/** @param asked an e-mail address, or a user's id */
export function findCollaborator(view: View, app: App, asked: string): CollaboratorResource | null {
  const row = rows(app).find(({ user }) => sameUser(user, asked) || userUuid(user) === asked);
  return row === undefined ? null : collaboratorResource(view, app, row);
}

function rows(app: App): readonly Row[] {
  const owner = { role: 'admin', user: app.owner } as const;
  const others = [...app.collaborators.values()]
    .filter(({ user }) => !sameUser(user, app.owner))
    .sort((a, b) => (a.user < b.user ? -1 : 1));
  return [
    { user: app.owner, permissions: permissionsOn(owner, app), at: app.createdAt },
    ...others.map(({ user, permissions, updatedAt }) => ({ user, permissions, at: updatedAt })),
  ];
}

/**
 * `role` is the role in the team where there is one, since the official CLI shows each admin once, whatever else they
 * are; `owner` is for owners who are none.
 */
function collaboratorResource(view: View, app: App, { user, permissions, at }: Row) {
  const role = roleOf(view, user);
  const isOwner = sameUser(user, app.owner);
  return {
    id: uuidOf('collaborator', `${app.id}/${user}`),
    app: appRef(app),
    user: { ...userResource(user), federated: false },
    role: isOwner && role !== 'admin' ? 'owner' : (role ?? 'collaborator'),
    permissions: permissions.map(permissionResource),
    created_at: isoTime(at),
    updated_at: isoTime(at),
  };
}
