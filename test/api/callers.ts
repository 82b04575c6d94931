import { randomBytes, randomUUID } from 'node:crypto';
import type { AppId } from '../../src/ids.ts';
import { PERMISSIONS } from '../../src/rights.ts';
import type { Permission, Role, Scope } from '../../src/rights.ts';
import { tokenHash, tokenText } from '../../src/platform/token.ts';
import type { Answer, Harness } from './harness.ts';

const BY = { user: 'ann@example.com', request: null };

/** Writes a token of a user down, and tells it. */
export function tokenFor(
  { host }: Harness,
  user: string,
  fields: { role?: Role; scopes?: readonly Scope[]; expiresAt?: number } = {},
): string {
  const text = tokenText(randomBytes(32));
  const { role = null, scopes = ['global'], expiresAt = null } = fields;
  const token = { token: randomUUID(), hash: tokenHash(text), user, description: '' };
  host.write({ type: 'token.create', ...token, role, scopes, expiresAt }, BY);
  return text;
}

/** Asks as whoever a token is of. */
export function as(api: Harness, token: string) {
  return (method: string, path: string, body?: unknown): Promise<Answer> =>
    api.call(method, path, body, { authorization: `Bearer ${token}` });
}

export function letIn({ host }: Harness, app: AppId, user: string, permissions: readonly Permission[]): void {
  host.write({ type: 'collaborator.set', app, user, permissions }, BY);
}

/** Somebody of every sort that there is, by what they are; the app is another's, except for its `owner`. */
export async function everybody(api: Harness, app: AppId): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  for (const role of ['admin', 'member', 'viewer', 'collaborator'] as const) {
    tokens.set(role, tokenFor(api, `${role}@example.com`, { role }));
  }
  tokens.set('owner', tokenFor(api, 'owner@example.com', { role: 'collaborator' }));
  api.host.write({ type: 'app.transfer', app, to: 'owner@example.com' }, BY);
  for (const permission of PERMISSIONS) {
    const user = `${permission}@example.com`;
    letIn(api, app, user, [permission]);
    tokens.set(permission, tokenFor(api, user, { role: 'collaborator' }));
  }
  for (const scope of ['identity', 'read', 'write', 'read-protected', 'write-protected'] as const) {
    tokens.set(`scope ${scope}`, tokenFor(api, 'admin@example.com', { scopes: [scope] }));
  }
  return tokens;
}
