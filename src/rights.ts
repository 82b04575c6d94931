/** On one app, as on Heroku: each is given for itself, and `view` comes with every other. */
export const PERMISSIONS = ['view', 'deploy', 'operate', 'manage'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/**
 * What a user is to the cluster, the most first: an admin may do everything, a member makes apps and sees those of others,
 * a viewer sees, a collaborator knows only the apps that are theirs or that they were let in to.
 */
export const ROLES = ['admin', 'member', 'viewer', 'collaborator'] as const;
export type Role = (typeof ROLES)[number];

/** What a token may be used for, whoever bears it. @see https://devcenter.heroku.com/articles/oauth#scopes */
export const SCOPES = ['global', 'identity', 'read', 'write', 'read-protected', 'write-protected'] as const;
export type Scope = (typeof SCOPES)[number];

/** What a collaborator gets of whom nothing else is said: all that a personal app's collaborators can do on Heroku. */
export const PERMISSIONS_DEFAULT: readonly Permission[] = ['view', 'deploy', 'operate'];

/** In order, each once, and `view` among them. */
export function completePermissions(given: readonly string[]): readonly Permission[] {
  return PERMISSIONS.filter((permission) => permission === 'view' || given.includes(permission));
}

/** Users are told apart by their e-mail address, in whichever case it was typed. */
export function sameUser(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
