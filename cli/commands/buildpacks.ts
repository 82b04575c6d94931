import { defineCommand } from '../lib/line/command.ts';
import type { Installations } from '../lib/deploy/buildpacks.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const installed = await api.get<Installations>(await context.appPath('/buildpack-installations'));
    if (screen.isJson) return screen.json(installed);
    const app = await context.app();
    if (installed.length === 0) return screen.line(`${app} has no buildpacks: they are detected.`);
    screen.heading(`${app} Buildpack${installed.length === 1 ? '' : 's'}`);
    screen.line();
    installed.forEach(({ buildpack }, index) => {
      screen.line(installed.length === 1 ? buildpack.name : `${index + 1}. ${buildpack.name}`);
    });
  },
});
