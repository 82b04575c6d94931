import type { TokenResource } from '../../src/platform/token.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  async run({ api, screen, world }) {
    const tokens = await api.get<readonly TokenResource[]>('/kith/tokens');
    if (screen.isJson) return screen.json(tokens);
    screen.table(
      ['ID', 'USER', 'DESCRIPTION', 'CREATED', 'EXPIRES'],
      tokens.map((token) => [
        token.id,
        token.user,
        token.description,
        formatMoment(token.created_at, world.now()),
        token.expires_at ?? '',
      ]),
    );
  },
});
