import type { MemberResource } from '../../src/platform/team.ts';
import { teamPath } from '../lib/access.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { user: { is: 'required', summary: 'e-mail address' } },
  details:
    'Their tokens are worthless from then on, and they are a collaborator on no app. Apps that they own stay theirs: `kith apps:transfer` gives them to somebody else.',
  async run({ api, screen, args }) {
    const path = await teamPath(api, `/members/${encodeURIComponent(args.user)}`);
    const member = await screen.progress(`Removing ${screen.paintErr.green(args.user)}`, () =>
      api.delete<MemberResource>(path),
    );
    if (screen.isJson) screen.json(member);
  },
});
