import type { TokenResource } from '../../src/platform/token.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { id: { is: 'required', summary: 'id that `kith tokens` shows' } },
  async run({ api, screen, args }) {
    const path = `/kith/tokens/${encodeURIComponent(args.id)}`;
    const token = await screen.progress(`Revoking ${args.id}`, () => api.delete<TokenResource>(path));
    if (screen.isJson) screen.json(token);
  },
});
