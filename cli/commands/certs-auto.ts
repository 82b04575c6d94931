import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/command.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const { acm } = await api.get<AppResource>(await context.appPath());
    if (screen.isJson) return screen.json({ acm });
    screen.line(`Automated Certificate Management is off on ${screen.app(await context.app())}.`);
    screen.line('Kith does not order certificates yet. Add one that you have: kith certs:add CRT KEY');
  },
});
