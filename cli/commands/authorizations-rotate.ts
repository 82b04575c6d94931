import type { AuthorizationResource } from '../../src/platform/authorization.ts';
import { authorizationPath, showAuthorization } from '../lib/authorizations.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { id: { is: 'required', summary: 'id that `kith authorizations` shows' } },
  details: 'The token before it is worthless at once.',
  async run({ api, screen, args, world }) {
    const path = authorizationPath(args.id, '/actions/regenerate-tokens');
    const found = await screen.progress(`Rotating ${args.id}`, () => api.post<AuthorizationResource>(path));
    if (screen.isJson) return screen.json(found);
    showAuthorization(screen, found, world.now());
  },
});
