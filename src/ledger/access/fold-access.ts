import { SCOPES } from '../../rights.ts';
import type { Role } from '../../rights.ts';
import { assertNever } from '../../step.ts';
import type { Membership } from '../cluster/fold-members.ts';
import { compareStamps } from '../hlc.ts';
import type { FoldOp, OpOf } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import type { UserEmail } from '../values.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { AccessBody, Invite, Token } from './access-types.ts';

/** Who may come in: invites, API tokens, users' roles, and the key that new values are sealed with. */
export type AccessState = {
  readonly invites: ReadonlyMap<string, OpOf<'invite.create'>>;
  readonly tokens: ReadonlyMap<string, OpOf<'token.create'>>;
  /** For good, whatever comes later under the same id. */
  readonly revoked: ReadonlySet<string>;
  /** What was changed of tokens since. */
  readonly changes: ReadonlyMap<string, TokenChanges>;
  readonly users: ReadonlyMap<UserEmail, Register<Role | null>>;
  readonly dataKey: Register<string>;
};

/** Each is empty where it is as the token's creation said. */
export type TokenChanges = {
  readonly description: Register<string>;
  readonly hash: Register<string>;
  readonly expiresAt: Register<number | null>;
};

type TokenBody = Exclude<AccessBody, OpBodyOf<'collaborator.set'>>;

export function noAccess(): AccessState {
  return {
    invites: new Map(),
    tokens: new Map(),
    revoked: new Set(),
    changes: new Map(),
    users: new Map(),
    dataKey: [],
  };
}

export function noChanges(): TokenChanges {
  return { description: [], hash: [], expiresAt: [] };
}

export function applyAccess(state: AccessState, op: FoldOp, body: TokenBody): AccessState {
  switch (body.kind) {
    case 'invite.create':
      return { ...state, invites: withEarliest(state.invites, body.invite, { ...op, body }) };
    case 'token.create':
      return { ...state, tokens: withEarliest(state.tokens, body.token, { ...op, body }) };
    case 'token.update': {
      const changes = changeToken(state.changes.get(body.token) ?? noChanges(), op, body);
      return { ...state, changes: new Map(state.changes).set(body.token, changes) };
    }
    case 'user.set': {
      const write = { id: op.id, hlc: op.hlc, value: body.role };
      const register = writeRegister(state.users.get(body.user), write, op.parents);
      return { ...state, users: new Map(state.users).set(body.user, register) };
    }
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

function changeToken(
  changes: TokenChanges,
  { id, hlc, parents }: FoldOp,
  { description, hash, expiresAt }: OpOf<'token.update'>['body'],
): TokenChanges {
  const written = <T>(register: Register<T>, value: T | undefined): Register<T> =>
    value === undefined ? register : writeRegister(register, { id, hlc, value }, parents);
  return {
    description: written(changes.description, description),
    hash: written(changes.hash, hash),
    expiresAt: written(changes.expiresAt, expiresAt),
  };
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

export function toTokens({ tokens, changes, revoked }: AccessState): ReadonlyMap<string, Token> {
  const shown = new Map<string, Token>();
  for (const [id, { body, hlc }] of tokens) {
    const { description, hash, expiresAt } = changes.get(id) ?? noChanges();
    const times = [description, hash, expiresAt].map(([latest]) => latest?.hlc.ms ?? hlc.ms);
    shown.set(id, {
      token: id,
      hash: hash[0]?.value ?? body.hash,
      user: body.user,
      description: description[0]?.value ?? body.description,
      scopes: SCOPES.filter((scope) => body.scopes?.includes(scope) ?? scope === 'global'),
      expiresAt: expiresAt[0] === undefined ? (body.expiresAt ?? null) : expiresAt[0].value,
      createdAt: hlc.ms,
      updatedAt: Math.max(...times),
      revoked: revoked.has(id),
    });
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
