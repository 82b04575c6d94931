import type { Command } from '../../src/ledger/command.ts';
import { PERMISSIONS, ROLES } from '../../src/rights.ts';
import { appId } from './builders.ts';

export const EVE = 'eve@example.com';
const TOKEN = 'token of eve';

/** What happens to the rights of one user. */
export const ACCESS_HAPPENINGS = [
  'role',
  'unrole',
  'grant',
  'ungrant',
  'transfer',
  'token',
  'retoken',
  'untoken',
] as const;
export type AccessHappening = (typeof ACCESS_HAPPENINGS)[number];

/** @param salt tells writes of different peers and moments apart */
export function accessCommand(what: AccessHappening, n: number, salt: number): Command {
  const app = appId(n);
  const role = ROLES[salt % ROLES.length] ?? 'member';
  switch (what) {
    case 'role':
      return { type: 'user.set', user: EVE, role };
    case 'unrole':
      return { type: 'user.set', user: EVE, role: null };
    case 'grant':
      return { type: 'collaborator.set', app, user: EVE, permissions: PERMISSIONS.slice(salt % 4) };
    case 'ungrant':
      return { type: 'collaborator.set', app, user: EVE, permissions: null };
    case 'transfer':
      return { type: 'app.transfer', app, to: salt % 2 === 0 ? EVE : 'ada@example.com' };
    case 'token': {
      const token = { token: TOKEN, hash: 'hash', user: EVE, description: '' };
      return { type: 'token.create', ...token, scopes: ['global'], expiresAt: null, role: null };
    }
    case 'retoken':
      return { type: 'token.update', token: TOKEN, hash: `hash ${salt}`, description: `at ${salt}` };
    case 'untoken':
      return { type: 'token.revoke', token: TOKEN };
    default:
      throw new Error('Nothing of that sort happens');
  }
}

export function isAccess(what: string): what is AccessHappening {
  return ACCESS_HAPPENINGS.some((each) => each === what);
}
