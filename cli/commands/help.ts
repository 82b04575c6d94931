import { findCommand } from '../commands.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { commandHelp, overview } from '../lib/line/help.ts';

export default defineCommand({
  args: { command: { is: 'optional' } },
  async run({ args, world }) {
    const entry = args.command === undefined ? null : findCommand(args.command);
    if (entry !== null) world.stdout.write(commandHelp(entry.name, await entry.load()));
    else if (args.command === undefined) world.stdout.write(overview());
    else
      throw new CliError(`${args.command} is not a kith command`, {
        hint: 'See `kith help` for all commands',
        exit: 127,
      });
  },
});
