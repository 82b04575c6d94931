import { PlatformError } from '../../errors.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import type { Token } from './access-types.ts';
import { mustLeaveAdmin, roleDraft } from './decide-user.ts';
import { noChanges } from './fold-access.ts';

/**
 * A token, and the role of its user where one is asked for: both or neither. A role that a user has by an older token alone
 * is written down before that one goes.
 */
export function createToken(fold: Fold, command: CommandOf<'token.create'>): readonly OpDraft[] {
  const { token, hash, user, description, scopes, expiresAt, role } = command;
  if (fold.view.tokens.has(token)) {
    throw new PlatformError(
      'conflict',
      `Cannot tell the token "${token}" again: this very request has made it before, and its text is kept nowhere`,
      {
        hint: `If that answer was lost, \`kith authorizations:rotate ${token}\` gives it a new text, \`kith authorizations:revoke ${token}\` takes it away`,
      },
    );
  }
  if (role !== null && role !== 'admin') mustLeaveAdmin(fold, user);
  const name = user.toLowerCase();
  const isSaid = fold.state.access.users.has(name);
  const wanted = role ?? (isSaid ? null : (fold.view.users.get(name)?.role ?? null));
  const ends = expiresAt === null ? {} : { expiresAt };
  return [
    { parents: [], body: { kind: 'token.create', token, hash, user, description, scopes, ...ends } },
    ...(wanted === null ? [] : roleDraft(fold, user, wanted)),
  ];
}

export function updateToken(fold: Fold, command: CommandOf<'token.update'>): readonly OpDraft[] {
  const { type: _, token, ...wanted } = command;
  const known = mustToken(fold, token);
  const registers = fold.state.access.changes.get(token) ?? noChanges();
  const fields = (['description', 'hash', 'expiresAt'] as const).filter(
    (field) => wanted[field] !== undefined && wanted[field] !== known[field],
  );
  if (fields.length === 0) return [];
  const changes = Object.fromEntries(fields.map((field) => [field, wanted[field]]));
  const parents = fields.flatMap((field) => headsOf(registers[field]));
  return [{ parents, body: { kind: 'token.update', token, ...changes } }];
}

export function revokeToken(fold: Fold, { token }: CommandOf<'token.revoke'>): readonly OpDraft[] {
  const known = fold.view.tokens.get(token);
  if (known?.revoked === true) return [];
  return [{ parents: [], body: { kind: 'token.revoke', token: mustToken(fold, token).token } }];
}

function mustToken({ view }: Fold, id: string): Token {
  const token = view.tokens.get(id);
  if (token !== undefined && !token.revoked) return token;
  throw new PlatformError('not_found', "Couldn't find that authorization.", { resource: 'authorization' });
}
