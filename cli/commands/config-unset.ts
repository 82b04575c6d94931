import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { patchConfig } from '../lib/config-vars.ts';

export default defineCommand({
  ofApp: true,
  args: { keys: { is: 'rest', summary: 'names of config vars' } },
  examples: ['kith config:unset DEBUG'],
  async run(context) {
    const { screen, args } = context;
    if (args.keys.length === 0) {
      throw new UsageError('No config var was named', 'Write it like `kith config:unset KEY`');
    }
    const vars = await patchConfig(
      context,
      Object.fromEntries(args.keys.map((key) => [key, null])),
      'Unsetting',
    );
    if (screen.isJson) screen.json(vars);
  },
});
