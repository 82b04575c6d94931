import { PlatformError } from '../../errors.ts';
import { PERMISSIONS_DEFAULT, completePermissions, sameUser } from '../../rights.ts';
import type { Permission } from '../../rights.ts';
import type { AppState } from '../apps/app-state.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import type { UserEmail } from '../values.ts';
import { headsOf } from '../register.ts';

/** The owner needs no permission, and so can be given or lose none. */
export function setCollaborator(
  fold: Fold,
  { app: id, user, permissions }: CommandOf<'collaborator.set'>,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, id);
  if (sameUser(app.owner, user)) {
    const what = permissions === null ? 'Cannot remove' : 'Cannot add';
    throw new PlatformError('invalid_params', `${what} "${user}": they own the app "${app.name}"`, {
      hint: '`kith apps:transfer` gives it to another owner',
    });
  }
  return collaboratorDraft(state, user, permissions);
}

/** The former owner stays a collaborator, as on Heroku. */
export function transferApp(fold: Fold, { app: id, to }: CommandOf<'app.transfer'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, id);
  if (sameUser(app.owner, to)) return [];
  return [
    { parents: headsOf(state.owner), body: { kind: 'app.update', app: id, owner: to } },
    ...collaboratorDraft(state, to, null),
    ...collaboratorDraft(state, app.owner, PERMISSIONS_DEFAULT),
  ];
}

/** Nothing where it is so already. */
export function collaboratorDraft(
  { id: app, collaborators }: AppState,
  name: UserEmail,
  given: readonly Permission[] | null,
): readonly OpDraft[] {
  const user = name.toLowerCase();
  const register = collaborators.get(user);
  const permissions = given === null ? null : completePermissions(given);
  const before = register?.[0]?.value ?? null;
  if (String(before) === String(permissions) && (register?.length ?? 0) <= 1) return [];
  return [{ parents: headsOf(register), body: { kind: 'collaborator.set', app, user, permissions } }];
}
