import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { dyno: { is: 'required', summary: 'web.1 or run.1234; web for all of a type' } },
  details: 'A dyno of the formation starts again; a one-off ends for good.',
  async run(context) {
    const { api, screen, args } = context;
    const kind = args.dyno.includes('.') ? 'dynos' : 'formations';
    const path = await context.appPath(`/${kind}/${encodeURIComponent(args.dyno)}/actions/stop`);
    const reply = await screen.progress(`Stopping ${args.dyno} on ${screen.app(await context.app())}`, () =>
      api.post(path),
    );
    if (screen.isJson) screen.json(reply);
  },
});
