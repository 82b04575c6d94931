import type { AttachmentResource } from '../../src/platform/addon.ts';
import { findAddon, formatPrice } from '../lib/addons.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  args: { addon: { is: 'required', summary: 'its name, or an attachment of the app' } },
  flags: APP_FLAGS,
  async run({ api, screen, args, flags, world }) {
    const addon = await findAddon(api, args.addon, flags.app ?? null);
    const attachments = await api.get<readonly AttachmentResource[]>(`/addons/${addon.id}/addon-attachments`);
    if (screen.isJson) return screen.json({ ...addon, attachments });
    screen.heading(addon.name);
    screen.facts({
      Plan: `${addon.plan.name} (${formatPrice(addon.plan.price.cents)})`,
      State: addon.state,
      App: addon.app.name,
      'Config vars': addon.config_vars.length === 0 ? undefined : addon.config_vars.join(', '),
      Attached: attachments.map(({ app, name }) => `${app.name}::${name}`).join(', '),
      Created: formatMoment(addon.created_at, world.now()),
      Message: addon.provision_message ?? undefined,
    });
  },
});
