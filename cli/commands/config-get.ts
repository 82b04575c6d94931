import { defineCommand } from '../lib/line/command.ts';
import type { ConfigVars } from '../lib/config-vars.ts';
import { shellQuote } from '../lib/print/quote.ts';

export default defineCommand({
  ofApp: true,
  args: { key: { is: 'required' } },
  flags: { shell: { kind: 'boolean', short: 's', summary: 'as a KEY=value line that a shell can read' } },
  async run(context) {
    const { api, screen, args, flags } = context;
    const vars = await api.get<ConfigVars>(await context.appPath('/config-vars'));
    const value = Object.hasOwn(vars, args.key) ? (vars[args.key] ?? '') : '';
    if (screen.isJson) return screen.json(Object.hasOwn(vars, args.key) ? value : null);
    screen.line(flags.shell ? `${args.key}=${shellQuote(value)}` : value);
  },
});
