import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_ROUTES } from '../../agent/api/resources/all-routes.ts';
import { authorize, isAllowed, isInScope, permissionsOn } from '../../src/platform/access.ts';
import type { Caller } from '../../src/platform/access.ts';
import { get } from '../../src/platform/endpoint.ts';
import { isExpired } from '../../src/platform/token.ts';
import { PERMISSIONS, ROLES, SCOPES, completePermissions } from '../../src/rights.ts';
import { LedgerHost } from '../api/ledger-host.ts';
import { app } from './builders.ts';

const scopes = fc.uniqueArray(fc.constantFrom(...SCOPES));
const role = fc.option(fc.constantFrom(...ROLES));
const user = fc.constantFrom('ann@example.com', 'Bob@example.com', 'eve@example.com');
const given = fc.uniqueArray(fc.constantFrom(...PERMISSIONS), { minLength: 1 });
const endpoint = fc.constantFrom(...ALL_ROUTES.map((route) => route.endpoint));

/** Owned by Ann, and Bob was let in. */
function shared(permissions: readonly string[]) {
  const bob = { user: 'bob@example.com', permissions: completePermissions(permissions), updatedAt: 0 };
  return app([], { collaborators: new Map([[bob.user, bob]]) });
}

test('whoever may do anything with an app may see it', () => {
  fc.assert(
    fc.property(user, role, given, (user, role, given) => {
      const found = permissionsOn({ user, role }, shared(given));
      expect(found.length === 0 || found.includes('view')).toBe(true);
    }),
  );
});

test('owners and admins may do all, whatever else they are', () => {
  fc.assert(
    fc.property(user, role, given, (user, role, given) => {
      expect(permissionsOn({ user, role: 'admin' }, shared(given))).toEqual(PERMISSIONS);
      expect(permissionsOn({ user: 'Ann@Example.com', role }, shared(given))).toEqual(PERMISSIONS);
    }),
  );
});

test('no role but an admin changes an app of somebody else without having been let in', () => {
  fc.assert(
    fc.property(role, fc.constantFrom('deploy', 'operate', 'manage'), (role, permission) => {
      const isFree = isAllowed({ user: 'eve@example.com', role }, permission, shared(PERMISSIONS));
      expect(isFree).toBe(role === 'admin');
    }),
  );
});

test('scopes add up, and nothing is open to a token without any', () => {
  fc.assert(
    fc.property(scopes, scopes, endpoint, (some, others, endpoint) => {
      const both = isInScope([...some, ...others], endpoint);
      expect(both).toBe(isInScope(some, endpoint) || isInScope(others, endpoint));
      expect(isInScope([], endpoint)).toBe(false);
    }),
  );
});

test('a lesser token does nothing that a greater one does not', () => {
  const ORDER = ['identity', 'read', 'read-protected', 'write-protected', 'global'] as const;
  fc.assert(
    fc.property(endpoint, fc.nat(ORDER.length - 1), fc.nat(ORDER.length - 1), (endpoint, a, b) => {
      const [less, more] = [ORDER[Math.min(a, b)], ORDER[Math.max(a, b)]];
      if (less === undefined || more === undefined || !isInScope([less], endpoint)) return;
      expect(isInScope([more], endpoint)).toBe(true);
    }),
  );
});

test('a permission that is on no app is for admins', () => {
  const view = new LedgerHost().view();
  const stray = get('/stray', { title: 'Stray', needs: 'view' });
  const caller = (role: Caller['role']): Caller => ({ user: 'x', role, scopes: ['global'], token: null });
  for (const role of [...ROLES, null]) {
    const ask = () => authorize(view, caller(role), stray, {});
    if (role === 'admin') ask();
    else expect(ask).toThrow(/it takes an admin of "attic"/);
  }
});

test('a token ends a minute after its time, and never where none was set', () => {
  expect(isExpired({ expiresAt: null }, Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(isExpired({ expiresAt: 1_000_000 }, 1_060_000)).toBe(false);
  expect(isExpired({ expiresAt: 1_000_000 }, 1_060_001)).toBe(true);
});
