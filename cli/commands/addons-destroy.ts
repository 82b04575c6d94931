import type { AddonResource } from '../../src/platform/addon.ts';
import { addonPath, findAddon } from '../lib/addons.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';
import { confirm } from '../lib/line/confirm.ts';

export default defineCommand({
  args: { addon: { is: 'required', summary: 'its name, or an attachment of the app' } },
  flags: {
    ...APP_FLAGS,
    force: { kind: 'boolean', short: 'f', summary: 'even if other apps have it attached' },
    confirm: { kind: 'string', short: 'c', value: 'APP', summary: 'name of the app that owns it' },
  },
  async run({ api, screen, args, flags, world }) {
    const addon = await findAddon(api, args.addon, flags.app ?? null);
    await confirm(
      world,
      addon.app.name,
      flags.confirm,
      `This destroys ${addon.name} of ⬢ ${addon.app.name} with all its data`,
    );
    const gone = await screen.progress(
      `Destroying ${screen.paintErr.cyan(addon.name)} on ${screen.app(addon.app.name)}`,
      () => api.delete<AddonResource>(addonPath(addon), { force: flags.force }),
      ({ state }) => (state === 'deprovisioned' ? 'done' : 'its provider is told as soon as it answers'),
    );
    if (screen.isJson) screen.json(gone);
  },
});
