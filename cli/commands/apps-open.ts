import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { path: { is: 'optional', summary: 'path within the app' } },
  details: 'Prints the URL, for a terminal that opens it or a shell that wants it: open "$(kith apps:open)"',
  async run(context) {
    const { api, screen, args } = context;
    const app = await api.get<AppResource>(await context.appPath());
    if (screen.isJson) return screen.json(app);
    screen.line(new URL(args.path ?? '', app.web_url).href);
  },
});
