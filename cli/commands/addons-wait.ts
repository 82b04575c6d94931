import { findAddon, untilProvisioned } from '../lib/addons.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';

export default defineCommand({
  args: { addon: { is: 'required', summary: 'its name, or an attachment of the app' } },
  flags: APP_FLAGS,
  async run({ api, screen, args, flags, world }) {
    const addon = await findAddon(api, args.addon, flags.app ?? null);
    const ready = await screen.progress(`Waiting for ${screen.paintErr.cyan(addon.name)}`, () =>
      untilProvisioned(api, world, addon),
    );
    if (screen.isJson) return screen.json(ready);
    if (ready.state !== 'provisioned') throw new CliError(`${ready.name} could not be created`);
    screen.line(
      `Created ${ready.name}${ready.config_vars.length === 0 ? '' : ` as ${ready.config_vars.join(', ')}`}`,
    );
  },
});
