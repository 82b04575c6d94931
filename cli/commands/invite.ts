import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parseDuration } from '../lib/print/time.ts';

type Invite = { readonly token: string; readonly expires_at: string };

export default defineCommand({
  flags: { ttl: { kind: 'string', value: 'TIME', summary: 'how long it is good for: 30m, 12h, 2d (1h)' } },
  details: 'The token lets one machine join, once. It is all that the other machine needs.',
  async run({ api, screen, flags }) {
    const seconds = parseDuration(flags.ttl ?? '1h');
    if (seconds === null || seconds === 0)
      throw new UsageError(`"${flags.ttl}" is no time`, 'Write it like 30m, 12h or 2d');
    const invite = await api.post<Invite>('/kith/invites', { ttl_seconds: seconds });
    if (screen.isJson) return screen.json(invite);
    screen.line(invite.token);
    screen.note(
      `Good for one machine within ${flags.ttl ?? '1h'}. On that machine, with its agent running: kith join TOKEN`,
    );
    screen.note('Or start its agent with it: kith agent --join TOKEN');
  },
});
