import type { CollaboratorResource } from '../../src/platform/collaborator.ts';
import { namesOf } from '../lib/access.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  details:
    'Admins may do everything with every app, members and viewers of the cluster see all: `kith members`.',
  async run(context) {
    const { api, screen } = context;
    const rows = await api.get<readonly CollaboratorResource[]>(await context.appPath('/collaborators'));
    if (screen.isJson) return screen.json(rows);
    screen.table(
      ['USER', 'ROLE', 'PERMISSIONS'],
      rows.map((row) => [row.user.email, row.role, namesOf(row)]),
    );
  },
});
