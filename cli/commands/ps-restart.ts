import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { target: { is: 'optional', summary: 'web.1 for one dyno, web for a type; all of them' } },
  examples: ['kith ps:restart', 'kith ps:restart web.1', 'kith ps:restart worker'],
  async run(context) {
    const { api, screen, args } = context;
    const { target } = args;
    const app = screen.app(await context.app());
    const path = await context.appPath(pathOf(target));
    const what = target === undefined ? 'dynos' : `${target}${target.includes('.') ? ' dyno' : ' dynos'}`;
    const reply = await screen.progress(`Restarting ${what} on ${app}`, () => api.delete(path));
    if (screen.isJson) screen.json(reply);
  },
});

function pathOf(target: string | undefined): string {
  if (target === undefined) return '/dynos';
  return `${target.includes('.') ? '/dynos' : '/formations'}/${encodeURIComponent(target)}`;
}
