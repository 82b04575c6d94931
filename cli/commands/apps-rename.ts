import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';
import { git, remotesTo } from '../lib/deploy/git.ts';
import { gitBase, gitUrl } from '../lib/deploy/git-setup.ts';

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
    const base = await gitBase(context);
    const remotes = await remotesTo(world, (url) => url === gitUrl(base, former));
    for (const remote of remotes) await git(world, 'remote', 'set-url', remote, gitUrl(base, app.name));
    if (screen.isJson) return screen.json(app);
    screen.line(`${app.web_url} | ${gitUrl(base, app.name)}`);
    for (const remote of remotes) screen.note(`Git remote ${remote} updated`);
  },
});
