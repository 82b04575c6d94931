import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';
import { confirm } from '../lib/line/confirm.ts';
import { appRemotes } from '../lib/deploy/git-setup.ts';
import { git } from '../lib/deploy/git.ts';

export default defineCommand({
  args: { name: { is: 'optional' } },
  flags: {
    ...APP_FLAGS,
    confirm: { kind: 'string', short: 'c', value: 'NAME', summary: 'name of the app, once more' },
  },
  examples: ['kith apps:destroy blog --confirm blog'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const named = args.name ?? (await context.app());
    const path = `/apps/${encodeURIComponent(named)}`;
    const { name } = await api.get<AppResource>(path);
    await confirm(world, name, flags.confirm, `This destroys ⬢ ${name} with all its dynos and releases`);
    const app = await screen.progress(`Destroying ${screen.app(name)}`, () => api.delete<AppResource>(path));
    for (const remote of await appRemotes(context, name)) await git(world, 'remote', 'remove', remote.name);
    if (screen.isJson) screen.json(app);
  },
});
