import type { LogDrainResource } from '../../src/platform/log-drain.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { drain: { is: 'required', summary: 'its URL or its token' } },
  async run(context) {
    const { api, screen, args } = context;
    const path = await context.appPath(`/log-drains/${encodeURIComponent(args.drain)}`);
    const drain = await screen.progress(`Removing a drain from ${screen.app(await context.app())}`, () =>
      api.delete<LogDrainResource>(path),
    );
    if (screen.isJson) return screen.json(drain);
    screen.line(`Successfully removed drain ${drain.url}`);
  },
});
