import type { AppResource } from '../../src/platform/app.ts';
import { acmDomains, printAcm, untilOrdered, WAIT_FLAG } from '../lib/acm.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  flags: WAIT_FLAG,
  details:
    'Each domain of the app gets a certificate, unless you have added one for it, and a new one in time.',
  async run(context) {
    const { api, screen, flags, world } = context;
    const appPath = await context.appPath();
    const app = await screen.progress(
      `Enabling automatic certificates on ${screen.app(await context.app())}`,
      () => api.post<AppResource>(`${appPath}/acm`, {}),
    );
    const domains = flags.wait ? await untilOrdered(api, appPath) : await acmDomains(api, appPath);
    if (screen.isJson) return screen.json({ acm: app.acm, domains });
    printAcm(screen, domains, world.now());
  },
});
