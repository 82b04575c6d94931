import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  async run({ api, screen }) {
    const apps = await api.get<readonly AppResource[]>('/apps');
    if (screen.isJson) return screen.json(apps);
    if (apps.length === 0) return screen.line('There are no apps yet. Create one with `kith apps:create`.');
    screen.heading('Apps');
    screen.line();
    for (const { name, maintenance } of apps) screen.line(maintenance ? `${name} (maintenance)` : name);
  },
});
