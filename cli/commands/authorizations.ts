import type { AuthorizationResource } from '../../src/platform/authorization.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  details: 'Those of all users are shown to admins by `kith tokens`.',
  async run({ api, screen }) {
    const found = await api.get<readonly AuthorizationResource[]>('/oauth/authorizations');
    if (screen.isJson) return screen.json(found);
    if (found.length === 0) {
      return screen.line('No tokens yet. Make one with `kith authorizations:create`.');
    }
    screen.table(
      ['ID', 'DESCRIPTION', 'SCOPE', 'EXPIRES'],
      found.map(({ id, description, scope, expires_at }) => [
        id,
        description,
        scope.join(', '),
        expires_at ?? '',
      ]),
    );
  },
});
