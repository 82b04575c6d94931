import type { AttachmentResource } from '../../src/platform/addon.ts';
import { findAddon } from '../lib/addons.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';

export default defineCommand({
  args: { addon: { is: 'required', summary: 'its name, or an attachment of the app' } },
  flags: APP_FLAGS,
  details:
    'Prints a link to the page that it has at its provider. It lets you in, for five minutes: keep it to yourself.',
  async run({ api, screen, args, flags }) {
    const addon = await findAddon(api, args.addon, flags.app ?? null);
    const [attachment] = await api.get<readonly AttachmentResource[]>(
      `/addons/${addon.id}/addon-attachments`,
    );
    if (screen.isJson) return screen.json(attachment ?? addon);
    if (addon.web_url === null) throw new CliError(`${addon.name} has no page of its own`);
    screen.line(addon.web_url);
  },
});
