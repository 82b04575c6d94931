import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';
import { git } from '../lib/deploy/git.ts';
import { appRemotes, gitBase, gitUrl } from '../lib/deploy/git-setup.ts';

export default defineCommand({
  ofApp: true,
  args: { newname: { is: 'required', summary: 'name that the app gets' } },
  examples: ['kith apps:rename blog --app calm-sea-1'],
  async run(context) {
    const { api, screen, args, world } = context;
    const former = await context.app();
    const path = await context.appPath();
    const app = await screen.progress(`Renaming ${screen.app(former)} to ${screen.app(args.newname)}`, () =>
      api.patch<AppResource>(path, { name: args.newname }),
    );
    const remotes = await appRemotes(context, former);
    for (const { name, url } of remotes) {
      await git(world, 'remote', 'set-url', name, gitUrl(url.slice(0, url.lastIndexOf('/')), app.name));
    }
    if (screen.isJson) return screen.json(app);
    screen.line(`${app.web_url} | ${gitUrl(await gitBase(context), app.name)}`);
    for (const remote of remotes) screen.note(`Git remote ${remote.name} updated`);
  },
});
