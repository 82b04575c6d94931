import { entry, type CommandGroup } from './entry.ts';

export const access: CommandGroup = {
  title: 'Access',
  commands: {
    login: entry('save a token for a peer', () => import('../commands/login.ts')),
    logout: entry('forget a saved token', () => import('../commands/logout.ts')),
    'auth:whoami': entry('show who you are to the cluster', () => import('../commands/auth-whoami.ts')),
    'auth:token': entry('print the token that is used', () => import('../commands/auth-token.ts')),
    access: entry('list who may do what with an app', () => import('../commands/access.ts')),
    'access:add': entry('let a user in to an app', () => import('../commands/access-add.ts')),
    'access:update': entry(
      'say what a user may do with an app',
      () => import('../commands/access-update.ts'),
    ),
    'access:remove': entry('shut a user out of an app', () => import('../commands/access-remove.ts')),
    members: entry('list users and their roles', () => import('../commands/members.ts')),
    'members:add': entry('give a user a role', () => import('../commands/members-add.ts')),
    'members:set': entry('give a user another role', () => import('../commands/members-set.ts')),
    'members:remove': entry('take all rights from a user', () => import('../commands/members-remove.ts')),
    authorizations: entry('list your own tokens', () => import('../commands/authorizations.ts')),
    'authorizations:create': entry(
      'make a token for yourself',
      () => import('../commands/authorizations-create.ts'),
    ),
    'authorizations:info': entry('show a token of yours', () => import('../commands/authorizations-info.ts')),
    'authorizations:update': entry(
      'say what a token of yours is for',
      () => import('../commands/authorizations-update.ts'),
    ),
    'authorizations:rotate': entry(
      'put another token in the place of yours',
      () => import('../commands/authorizations-rotate.ts'),
    ),
    'authorizations:revoke': entry(
      'make a token of yours worthless',
      () => import('../commands/authorizations-revoke.ts'),
    ),
    tokens: entry('list tokens', () => import('../commands/tokens.ts')),
    'tokens:create': entry('make a token for a user', () => import('../commands/tokens-create.ts')),
    'tokens:revoke': entry('make a token worthless', () => import('../commands/tokens-revoke.ts')),
    'git:credentials': entry(
      'answer git when it asks for a password',
      () => import('../commands/git-credentials.ts'),
    ),
  },
};
