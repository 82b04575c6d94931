import type { MemberResource } from '../../src/platform/team.ts';
import { teamPath } from '../lib/access.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { user: { is: 'required', summary: 'e-mail address' } },
  flags: {
    role: { kind: 'string', short: 'r', value: 'ROLE', summary: 'admin, member, viewer or collaborator' },
  },
  examples: ['kith members:add ada@example.com --role member'],
  async run({ api, screen, args, flags }) {
    const { role } = flags;
    if (role === undefined) {
      throw new UsageError('No role was named', 'Name one: --role admin, member, viewer or collaborator');
    }
    const path = await teamPath(api, '/members');
    const member = await screen.progress(`Adding ${screen.paintErr.green(args.user)} as ${role}`, () =>
      api.put<MemberResource>(path, { email: args.user, role }),
    );
    if (screen.isJson) screen.json(member);
  },
});
