import { PlatformError } from '../errors.ts';
import type { Token } from '../ledger/access/access-types.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { UserEmail } from '../ledger/values.ts';
import type { View } from '../ledger/view.ts';
import type { ProviderCaller } from '../shell/addons.ts';
import { PERMISSIONS, sameUser } from '../rights.ts';
import type { Permission, Role, Scope } from '../rights.ts';
import { findApp, liveApps } from './app.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * Who may do what. Before a handler runs, `authorize` has checked what its endpoint declares: the scopes of the token, and
 * the role or the permission that it `needs` (on the app that `:app` of its path names).
 *
 * What only a handler can know it checks itself. An app that a body or another thing names:
 *
 *     const app = request.appNamed(body.app, 'deploy');             // finds it, and throws 404 or 403
 *     mustBeAllowed(request.caller, 'manage', app);                 // for an app that was found otherwise
 *
 * and a list over several apps (add-ons, pipelines, couplings) shows what is about apps that the asker may see:
 *
 *     visibleApps(request.view(), request.caller)                   // the apps themselves
 *     things.filter((thing) => isAllowed(request.caller, 'view', thing.app))
 *
 * Such endpoints declare `needs: 'user'`, because their paths name no app.
 */

/** Who asks: the user, their role at that moment, and what the token that they sent is good for. */
export type Caller = {
  readonly user: UserEmail;
  /** Null: of no standing in the cluster, which is as little as a collaborator. */
  readonly role: Role | null;
  readonly scopes: readonly Scope[];
  /** The id of the token; null for the local socket, where there is none. */
  readonly token: string | null;
  /** Set where it is no user at all but a provider, who may ask about add-ons of its own and nothing else. */
  readonly provider?: ProviderCaller;
};

/** Of an endpoint that asks for nothing. */
export const NOBODY: Caller = { user: 'nobody', role: null, scopes: [], token: null };

/** Whoever opens the local socket: the host's own user, who can do everything anyhow. */
export function localCaller(user: UserEmail): Caller {
  return { user, role: 'admin', scopes: ['global'], token: null };
}

export function callerOf(view: View, { user, scopes, token }: Token): Caller {
  return { user, role: roleOf(view, user), scopes, token };
}

export function providerCaller(provider: ProviderCaller): Caller {
  const user = `${provider.service}@addons.heroku.com`;
  return { user, role: null, scopes: ['write-protected'], token: null, provider };
}

/** The role that a user was given. Null: none. */
export function roleOf(view: View, user: UserEmail): Role | null {
  return view.users.get(user.toLowerCase())?.role ?? null;
}

/** What the caller may do with the app: everything, for admins and its owner. */
export function permissionsOn(
  { user, role }: Pick<Caller, 'user' | 'role'>,
  app: App,
): readonly Permission[] {
  if (role === 'admin' || sameUser(app.owner, user)) return PERMISSIONS;
  const given = app.collaborators.get(user.toLowerCase())?.permissions;
  if (given !== undefined) return given;
  return role === 'member' || role === 'viewer' ? ['view'] : [];
}

export function isAllowed(caller: Pick<Caller, 'user' | 'role'>, permission: Permission, app: App): boolean {
  return permissionsOn(caller, app).includes(permission);
}

/** @throws PlatformError `forbidden`, in Heroku's words where the caller may not even see the app */
export function mustBeAllowed(caller: Caller, permission: Permission, app: App): void {
  if (isAllowed(caller, permission, app)) return;
  if (!isAllowed(caller, 'view', app)) {
    throw new PlatformError('forbidden', `You do not have access to the app ${app.name}.`, {
      resource: 'app',
      hint: `${app.owner}, who owns it, can let you in: \`kith access:add ${caller.user} --app ${app.name}\``,
    });
  }
  throw new PlatformError(
    'forbidden',
    `You do not have permission to ${permission} the app ${app.name}: you may ${permissionsOn(caller, app).join(', ')}.`,
    { resource: 'app', hint: `${app.owner}, who owns it, or an admin can give you "${permission}"` },
  );
}

/** The live apps that the caller may see, by name. */
export function visibleApps(view: View, caller: Caller): readonly App[] {
  return liveApps(view).filter((app) => isAllowed(caller, 'view', app));
}

/**
 * Lets a request through to its handler, or not.
 * @param params what stands for `:app` in the path; an app that does not exist is for the handler to miss
 * @throws PlatformError `forbidden`
 */
export function authorize(
  view: View,
  caller: Caller,
  endpoint: Endpoint,
  params: Readonly<Record<string, string>>,
): void {
  const { needs } = endpoint;
  if (needs === 'nothing') return;
  if (caller.provider !== undefined && !endpoint.isForProviders) throw notForProviders(caller.provider);
  if (!isInScope(caller.scopes, endpoint)) throw outOfScope(caller.scopes);
  if (needs === 'user') return;
  if (needs === 'viewer' || needs === 'member' || needs === 'admin') {
    mustHaveRole(view, caller, needs);
    return;
  }
  // A permission on no app could be checked by nobody: such an endpoint is for admins.
  if (params.app === undefined) mustHaveRole(view, caller, 'admin');
  const app = params.app === undefined ? null : findApp(view, params.app);
  if (app !== null) mustBeAllowed(caller, needs, app);
}

/** What an endpoint, or a git request, takes a token for. */
type Use = Pick<Endpoint, 'method' | 'scope' | 'isProtected'> & Partial<Pick<Endpoint, 'needs'>>;

/** @throws PlatformError `forbidden` where the caller's token is good for less */
export function mustBeInScope({ scopes }: Caller, use: Use): void {
  if (!isInScope(scopes, use)) throw outOfScope(scopes);
}

/**
 * Whether tokens of these scopes are good for that. What `scope` does not say follows from method and content; what is for
 * admins, and what hands out rights, takes `global`, or else a lesser token could make itself a greater one:
 *
 * | scope             | identity | reads | reads config | writes | writes config | admin's part, rights  |
 * |-------------------|----------|-------|--------------|--------|---------------|-----------------------|
 * | `global`          | x        | x     | x            | x      | x             | x                     |
 * | `identity`        | x        |       |              |        |               |                       |
 * | `read`            | x        | x     |              |        |               |                       |
 * | `read-protected`  | x        | x     | x            |        |               |                       |
 * | `write`           | x        | x     |              | x      |               |                       |
 * | `write-protected` | x        | x     | x            | x      | x             |                       |
 */
export function isInScope(scopes: readonly Scope[], { method, needs, scope, isProtected }: Use): boolean {
  if (scopes.includes('global')) return true;
  if (scope === 'global' || needs === 'admin') return false;
  if (scope === 'identity') return scopes.length > 0;
  const isRead = scope === 'read' || method === 'GET';
  const fitting = isRead ? READING : WRITING;
  return scopes.some((each) => (isProtected ? fitting.protected : fitting.plain).includes(each));
}

const READING: Readonly<Record<'plain' | 'protected', readonly Scope[]>> = {
  plain: ['read', 'write', 'read-protected', 'write-protected'],
  protected: ['read-protected', 'write-protected'],
};
const WRITING: typeof READING = { plain: ['write', 'write-protected'], protected: ['write-protected'] };

function outOfScope(scopes: readonly Scope[]): PlatformError {
  return new PlatformError(
    'forbidden',
    'The scope of this OAuth authorization does not allow access to this resource.',
    {
      hint: `This token is good for: ${scopes.join(', ')}. Make another with \`kith authorizations:create\``,
    },
  );
}

function notForProviders({ service }: ProviderCaller): PlatformError {
  return new PlatformError(
    'forbidden',
    `Only users may ask that, and "${service}" is a provider of add-ons.`,
    {
      hint: 'A provider asks about add-ons of its own: /addons/UUID, its config and its actions',
    },
  );
}

const WHO = {
  viewer: 'a viewer, a member or an admin',
  member: 'a member or an admin',
  admin: 'an admin',
} as const;
const RANKS: Readonly<Record<Role, number>> = { admin: 3, member: 2, viewer: 1, collaborator: 0 };

/** @throws PlatformError `forbidden` */
export function mustHaveRole(view: View, { role }: Caller, least: 'viewer' | 'member' | 'admin'): void {
  if (RANKS[role ?? 'collaborator'] >= RANKS[least]) return;
  const found = role === null ? 'you have no role here' : `you are a ${role}`;
  throw new PlatformError(
    'forbidden',
    `You do not have access to this: it takes ${WHO[least]} of "${view.clusterName}", and ${found}.`,
    {
      hint: 'An admin can change that: `kith members:set EMAIL --role ROLE`',
    },
  );
}
