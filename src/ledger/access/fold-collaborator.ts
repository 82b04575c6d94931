import type { FoldOp } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import type { UserEmail } from '../values.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Collaborator } from './access-types.ts';

type CollaboratorBody = OpBodyOf<'collaborator.set'>;
/** What each user may do with an app, as registers by user. */
export type CollaboratorsState = ReadonlyMap<UserEmail, Register<CollaboratorBody['permissions']>>;

export function applyCollaborator(
  state: CollaboratorsState,
  op: FoldOp,
  { user, permissions }: CollaboratorBody,
): CollaboratorsState {
  const write = { id: op.id, hlc: op.hlc, value: permissions };
  return new Map(state).set(user, writeRegister(state.get(user), write, op.parents));
}

/** Those who may do something. */
export function toCollaborators(state: CollaboratorsState): ReadonlyMap<UserEmail, Collaborator> {
  const shown = new Map<UserEmail, Collaborator>();
  for (const [user, [latest]] of state) {
    if (latest === undefined || latest.value === null) continue;
    shown.set(user, { user, permissions: latest.value, updatedAt: latest.hlc.ms });
  }
  return shown;
}
