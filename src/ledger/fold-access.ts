import { assertNever } from '../step.ts';
import { compareStamps } from './hlc.ts';
import type { FoldOp, OpOf } from './op-graph.ts';
import type { OpBody } from './op.ts';
import { writeRegister } from './register.ts';
import type { Register } from './register.ts';
import type { Membership } from './fold-members.ts';
import type { Invite, Token } from './view.ts';

/** Who may come in: invites, API tokens, and the key that new values are sealed with. */
export type AccessState = {
  readonly invites: ReadonlyMap<string, OpOf<'invite.create'>>;
  readonly tokens: ReadonlyMap<string, OpOf<'token.create'>>;
  /** For good, whatever comes later under the same id. */
  readonly revoked: ReadonlySet<string>;
  readonly dataKey: Register<string>;
};

export type AccessBody = Extract<
  OpBody,
  { readonly kind: 'invite.create' | 'token.create' | 'token.revoke' | 'key.rotate' }
>;

export function noAccess(): AccessState {
  return { invites: new Map(), tokens: new Map(), revoked: new Set(), dataKey: [] };
}

export function applyAccess(state: AccessState, op: FoldOp, body: AccessBody): AccessState {
  switch (body.kind) {
    case 'invite.create':
      return { ...state, invites: withEarliest(state.invites, body.invite, { ...op, body }) };
    case 'token.create':
      return { ...state, tokens: withEarliest(state.tokens, body.token, { ...op, body }) };
    case 'token.revoke':
      return { ...state, revoked: new Set([...state.revoked, body.token]) };
    case 'key.rotate': {
      const write = { id: op.id, hlc: op.hlc, value: body.key };
      return { ...state, dataKey: writeRegister(state.dataKey, write, op.parents) };
    }
    default:
      return assertNever(body);
  }
}

export function toInvites(
  { invites }: AccessState,
  { invitesUsed }: Membership,
): ReadonlyMap<string, Invite> {
  const shown = new Map<string, Invite>();
  for (const [id, { body }] of invites) {
    const { invite, secretHash, expiresAt } = body;
    shown.set(id, { invite, secretHash, expiresAt, usedBy: invitesUsed.get(id) ?? null });
  }
  return shown;
}

export function toTokens({ tokens, revoked }: AccessState): ReadonlyMap<string, Token> {
  const shown = new Map<string, Token>();
  for (const [id, { body, hlc }] of tokens) {
    const { token, hash, user, description } = body;
    shown.set(id, { token, hash, user, description, createdAt: hlc.ms, revoked: revoked.has(id) });
  }
  return shown;
}

/** Ids are random, so two creations of one are a mistake or a trick: the first stays. */
function withEarliest<Op extends FoldOp>(
  ops: ReadonlyMap<string, Op>,
  key: string,
  op: Op,
): ReadonlyMap<string, Op> {
  const held = ops.get(key);
  return held !== undefined && compareStamps(held, op) <= 0 ? ops : new Map(ops).set(key, op);
}
