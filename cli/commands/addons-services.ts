import type { AddonServiceResource } from '../../src/platform/addon-service.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  async run({ api, screen }) {
    const services = await api.get<readonly AddonServiceResource[]>('/addon-services', {
      range: 'name ..; max=1000;',
    });
    if (screen.isJson) return screen.json(services);
    if (services.length === 0)
      return screen.line('Nothing can be added yet: an admin registers providers with `kith providers:add`.');
    screen.table(
      ['SERVICE', 'NAME'],
      services.map(({ name, human_name }) => [screen.paint.cyan(name), human_name]),
    );
  },
});
