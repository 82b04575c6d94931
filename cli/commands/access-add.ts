import type { CollaboratorResource } from '../../src/platform/collaborator.ts';
import { PERMISSIONS_FLAG, namesOf, parseList } from '../lib/access.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { user: { is: 'required', summary: 'e-mail address' } },
  flags: { permissions: PERMISSIONS_FLAG },
  details:
    'Without --permissions they may view, deploy and operate. Who has no token yet needs one: `kith tokens:create USER --role collaborator`.',
  examples: ['kith access:add ada@example.com --permissions deploy --app blog'],
  async run(context) {
    const { api, screen, args, flags } = context;
    const path = await context.appPath('/collaborators');
    const body = {
      user: args.user,
      ...(flags.permissions === undefined ? {} : { permissions: parseList(flags.permissions) }),
    };
    const added = await screen.progress(
      `Adding ${screen.paintErr.green(args.user)} to ${screen.app(await context.app())}`,
      () => api.post<CollaboratorResource>(path, body),
      (row) => `done, ${namesOf(row)}`,
    );
    if (screen.isJson) screen.json(added);
  },
});
