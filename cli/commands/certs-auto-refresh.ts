import type { AppResource } from '../../src/platform/app.ts';
import { acmDomains } from '../lib/acm.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  details:
    'Orders at once what failed, as after a change of your DNS. What is good already is renewed in its time.',
  async run(context) {
    const { api, screen } = context;
    const appPath = await context.appPath();
    const app = await screen.progress(
      `Refreshing automatic certificates of ${screen.app(await context.app())}`,
      () => api.patch<AppResource>(`${appPath}/acm`, { acm_refresh: true }),
    );
    if (screen.isJson) screen.json({ acm: app.acm, domains: await acmDomains(api, appPath) });
  },
});
