import type { AuthorizationResource } from '../../src/platform/authorization.ts';
import type { Screen } from './print/screen.ts';
import { formatMoment } from './print/time.ts';

export function authorizationPath(id: string, rest = ''): string {
  return `/oauth/authorizations/${encodeURIComponent(id)}${rest}`;
}

/** An authorization in full; its token where the API told it. */
export function showAuthorization(screen: Screen, found: AuthorizationResource, now: number): void {
  screen.facts({
    ID: found.id,
    Description: found.description,
    Scope: found.scope.join(', '),
    Token: found.access_token?.token,
    'Expires at': found.expires_at ?? undefined,
    'Updated at': formatMoment(found.updated_at, now),
  });
}
