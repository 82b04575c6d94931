import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parsePairs, patchConfig, showVars } from '../lib/config-vars.ts';

const HINT = 'Write it like `kith config:set KEY=value`';

export default defineCommand({
  ofApp: true,
  args: { pairs: { is: 'rest', summary: 'KEY=value, any number of them' } },
  examples: ['kith config:set LANG=en_GB.UTF-8 DEBUG=1'],
  async run(context) {
    const { screen, args } = context;
    if (args.pairs.length === 0) throw new UsageError('No config var was named', HINT);
    const patch = parsePairs(args.pairs, HINT);
    const vars = await patchConfig(context, patch, 'Setting');
    if (screen.isJson) return screen.json(vars);
    showVars(context, Object.fromEntries(Object.entries(vars).filter(([key]) => Object.hasOwn(patch, key))));
  },
});
