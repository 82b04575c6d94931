import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';

export default defineCommand({
  ofApp: true,
  flags: { confirm: { kind: 'string', short: 'c', value: 'APP', summary: 'name of the app, once more' } },
  details: 'Certificates that were ordered go at once: browsers warn of its domains until they have others.',
  async run(context) {
    const { api, screen, flags, world } = context;
    const app = await context.app();
    await confirm(world, app, flags.confirm, `This removes the certificates that were ordered for ⬢ ${app}`);
    const appPath = await context.appPath();
    const shown = await screen.progress(`Disabling automatic certificates on ${screen.app(app)}`, () =>
      api.delete<AppResource>(`${appPath}/acm`),
    );
    if (screen.isJson) screen.json({ acm: shown.acm });
  },
});
