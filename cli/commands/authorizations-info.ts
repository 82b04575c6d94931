import type { AuthorizationResource } from '../../src/platform/authorization.ts';
import { authorizationPath, showAuthorization } from '../lib/authorizations.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { id: { is: 'required', summary: 'id that `kith authorizations` shows' } },
  async run({ api, screen, args, world }) {
    const found = await api.get<AuthorizationResource>(authorizationPath(args.id));
    if (screen.isJson) return screen.json(found);
    showAuthorization(screen, found, world.now());
  },
});
