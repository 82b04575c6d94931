import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';
import { confirm } from '../lib/line/confirm.ts';
import { git, remotesTo } from '../lib/deploy/git.ts';

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
    const remotes = await remotesTo(world, (url) => url.startsWith('http') && url.endsWith(`/${name}.git`));
    // A remote of another name may be another service's app of the same name.
    if (remotes.includes(context.remote)) await git(world, 'remote', 'remove', context.remote);
    if (screen.isJson) screen.json(app);
  },
});
