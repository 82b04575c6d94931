import { defineCommand } from '../lib/line/command.ts';
import { showVars, type ConfigVars } from '../lib/config-vars.ts';
import { shellQuote } from '../lib/print/quote.ts';

export default defineCommand({
  ofApp: true,
  flags: { shell: { kind: 'boolean', short: 's', summary: 'as KEY=value lines that a shell can read' } },
  examples: ['kith config --shell > .env'],
  async run(context) {
    const { api, screen, flags } = context;
    const vars = await api.get<ConfigVars>(await context.appPath('/config-vars'));
    if (screen.isJson) return screen.json(vars);
    if (flags.shell)
      return screen.lines(Object.entries(vars).map(([key, value]) => `${key}=${shellQuote(value)}`));
    screen.heading(`${await context.app()} Config Vars`);
    screen.line();
    showVars(context, vars);
  },
});
