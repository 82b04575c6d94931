import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const app = await context.api.get<AppResource>(await context.appPath());
    if (context.screen.isJson) return context.screen.json(app);
    context.screen.line(app.maintenance ? 'on' : 'off');
  },
});
