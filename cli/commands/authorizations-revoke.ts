import type { AuthorizationResource } from '../../src/platform/authorization.ts';
import { authorizationPath } from '../lib/authorizations.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { id: { is: 'required', summary: 'id that `kith authorizations` shows' } },
  async run({ api, screen, args }) {
    const revoked = await screen.progress(
      `Revoking ${args.id}`,
      () => api.delete<AuthorizationResource>(authorizationPath(args.id)),
      ({ description }) => `done, ${description}`,
    );
    if (screen.isJson) screen.json(revoked);
  },
});
