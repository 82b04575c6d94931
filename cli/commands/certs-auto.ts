import type { AppResource } from '../../src/platform/app.ts';
import { acmDomains, printAcm, untilOrdered, WAIT_FLAG } from '../lib/acm.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  flags: WAIT_FLAG,
  async run(context) {
    const { api, screen, flags, world } = context;
    const appPath = await context.appPath();
    const { acm } = await api.get<AppResource>(appPath);
    const domains = flags.wait && acm ? await untilOrdered(api, appPath) : await acmDomains(api, appPath);
    if (screen.isJson) return screen.json({ acm, domains });
    const app = screen.app(await context.app());
    if (!acm) {
      screen.line(`Certificates of ${app} are not ordered automatically.`);
      return screen.line(
        'Turn it on: kith certs:auto:enable. Or add one that you have: kith certs:add CRT KEY',
      );
    }
    screen.line(`Certificates of ${app} are ordered automatically.`);
    printAcm(screen, domains, world.now());
  },
});
