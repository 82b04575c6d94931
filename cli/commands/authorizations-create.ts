import type { AuthorizationResource } from '../../src/platform/authorization.ts';
import { parseList } from '../lib/access.ts';
import { showAuthorization } from '../lib/authorizations.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parseDuration } from '../lib/print/time.ts';

export default defineCommand({
  flags: {
    description: { kind: 'string', short: 'd', value: 'TEXT', summary: 'what it is for' },
    scope: {
      kind: 'string',
      short: 's',
      value: 'LIST',
      summary: 'global (default), identity, read, write, read-protected, write-protected',
    },
    'expires-in': { kind: 'string', short: 'e', value: 'TIME', summary: 'seconds, or 15m, 1h, 30d' },
    short: { kind: 'boolean', short: 'S', summary: 'print the token and nothing else' },
  },
  details:
    'The token acts for you: it may do what you may, as far as its scopes go. It is shown this once, and ends when yours does. An admin makes tokens for others with `kith tokens:create`.',
  examples: ['kith authorizations:create --description CI --scope write --expires-in 30d'],
  async run({ api, screen, flags, world }) {
    const { description, scope, short } = flags;
    const expiry = flags['expires-in'];
    const seconds = expiry === undefined ? undefined : parseDuration(expiry);
    if (seconds === null)
      throw new UsageError(`"${expiry}" is no time`, 'Write it like 3600, 15m, 1h or 30d');
    const body = {
      description,
      expires_in: seconds,
      scope: scope === undefined ? undefined : parseList(scope),
    };
    const made = await api.post<AuthorizationResource>('/oauth/authorizations', body);
    if (screen.isJson) return screen.json(made);
    if (short) return screen.line(made.access_token?.token ?? '');
    showAuthorization(screen, made, world.now());
  },
});
