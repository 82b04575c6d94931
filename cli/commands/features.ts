import type { FeatureResource } from '../../src/platform/feature.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const features = await api.get<readonly FeatureResource[]>(await context.appPath('/features'));
    if (screen.isJson) return screen.json(features);
    screen.heading(`App Features ${screen.app(await context.app())}`);
    screen.line();
    for (const { name, enabled, description } of features)
      screen.line(`[${enabled ? '+' : ' '}] ${name}  ${description}`);
  },
});
