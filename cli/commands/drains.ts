import type { LogDrainResource } from '../../src/platform/log-drain.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const path = await context.appPath('/log-drains');
    const drains = await api.get<readonly LogDrainResource[]>(path, { range: 'id ..; max=1000;' });
    if (screen.isJson) return screen.json(drains);
    if (drains.length === 0) {
      screen.line(`No drains on ${screen.app(await context.app())}`);
      return;
    }
    screen.table(
      ['URL', 'TOKEN', 'ADD-ON'],
      drains.map(({ url, token, addon }) => [url, token, addon?.name ?? '']),
    );
  },
});
