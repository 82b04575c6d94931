import type { MemberResource } from '../../src/platform/team.ts';
import { teamPath } from '../lib/access.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  details:
    'An admin may do everything. A member makes apps and sees those of others, a viewer sees. A collaborator knows only the apps that are theirs or that they were added to: `kith access`.',
  async run({ api, screen, world }) {
    const members = await api.get<readonly MemberResource[]>(await teamPath(api, '/members'));
    if (screen.isJson) return screen.json(members);
    screen.table(
      ['USER', 'ROLE', 'SINCE'],
      members.map(({ email, role, created_at }) => [email, role, formatMoment(created_at, world.now())]),
    );
  },
});
