import type { AuthorizationResource } from '../../src/platform/authorization.ts';
import { authorizationPath, showAuthorization } from '../lib/authorizations.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { id: { is: 'required', summary: 'id that `kith authorizations` shows' } },
  flags: { description: { kind: 'string', short: 'd', value: 'TEXT', summary: 'what it is for' } },
  async run({ api, screen, args, flags, world }) {
    const body = { description: flags.description };
    const found = await api.patch<AuthorizationResource>(authorizationPath(args.id), body);
    if (screen.isJson) return screen.json(found);
    showAuthorization(screen, found, world.now());
  },
});
