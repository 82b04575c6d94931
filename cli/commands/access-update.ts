import type { CollaboratorResource } from '../../src/platform/collaborator.ts';
import { PERMISSIONS_FLAG, namesOf, parseList } from '../lib/access.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { user: { is: 'required', summary: 'e-mail address' } },
  flags: { permissions: PERMISSIONS_FLAG },
  examples: ['kith access:update ada@example.com --permissions deploy,operate --app blog'],
  async run(context) {
    const { api, screen, args, flags } = context;
    if (flags.permissions === undefined) {
      throw new UsageError('No permissions were named', 'Name them: --permissions deploy,operate');
    }
    const permissions = parseList(flags.permissions);
    const path = await context.appPath(`/collaborators/${encodeURIComponent(args.user)}`);
    const updated = await screen.progress(
      `Updating ${screen.paintErr.green(args.user)} of ${screen.app(await context.app())}`,
      () => api.patch<CollaboratorResource>(path, { permissions }),
      (row) => `done, ${namesOf(row)}`,
    );
    if (screen.isJson) screen.json(updated);
  },
});
