import type { AddonResource } from '../../src/platform/addon.ts';
import { addonPath, findAddon } from '../lib/addons.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';

export default defineCommand({
  args: { addon: { is: 'required' }, name: { is: 'required', summary: 'what it is called from now on' } },
  flags: APP_FLAGS,
  async run({ api, screen, args, flags }) {
    const addon = await findAddon(api, args.addon, flags.app ?? null);
    const renamed = await api.patch<AddonResource>(addonPath(addon), { name: args.name });
    if (screen.isJson) return screen.json(renamed);
    screen.line(`${addon.name} successfully renamed to ${renamed.name}.`);
  },
});
