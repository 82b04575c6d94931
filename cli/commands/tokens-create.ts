import type { TokenResource } from '../../src/platform/token.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { user: { is: 'required', summary: 'e-mail address that its acts are signed with' } },
  flags: {
    description: { kind: 'string', short: 'd', value: 'TEXT', summary: 'what it is for' },
    role: {
      kind: 'string',
      short: 'r',
      value: 'ROLE',
      summary: 'admin, member, viewer or collaborator; a user without one becomes a member',
    },
  },
  examples: ['kith tokens:create ada@example.com --description laptop'],
  async run({ api, screen, args, flags }) {
    const body = {
      user: args.user,
      ...(flags.description === undefined ? {} : { description: flags.description }),
      ...(flags.role === undefined ? {} : { role: flags.role }),
    };
    const token = await api.post<TokenResource>('/kith/tokens', body);
    if (screen.isJson) return screen.json(token);
    screen.line(token.token);
    screen.note(
      `Shown this once. Use it with \`kith login\`, revoke it with \`kith tokens:revoke ${token.id}\``,
    );
  },
});
