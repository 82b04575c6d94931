import type { AddonResource } from '../../src/platform/addon.ts';
import { addonPath, findAddon, formatPrice } from '../lib/addons.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';

export default defineCommand({
  args: {
    addon: { is: 'required', summary: 'its name, or an attachment of the app' },
    plan: { is: 'required', summary: 'SERVICE:PLAN or PLAN: a larger one or a smaller one' },
  },
  flags: APP_FLAGS,
  async run({ api, screen, args, flags }) {
    const addon = await findAddon(api, args.addon, flags.app ?? null);
    const changed = await screen.progress(
      `Changing ${screen.paintErr.cyan(addon.name)} on ${screen.app(addon.app.name)} to ${args.plan}`,
      () => api.patch<AddonResource>(addonPath(addon), { plan: { name: args.plan } }),
      ({ plan }) => `${plan.name}, ${formatPrice(plan.price.cents)}`,
    );
    if (screen.isJson) return screen.json(changed);
    if (changed.provision_message !== null) screen.line(changed.provision_message);
  },
});
