import type { LogDrainResource } from '../../src/platform/log-drain.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { url: { is: 'required', summary: 'syslog://…, syslog+tls://…, http://… or https://…' } },
  details:
    'Every line of the app goes there from now on: as RFC 5424 over TCP or TLS, or in batches over HTTP. One machine of the cluster sends it, and another when that one dies.',
  examples: [
    'kith drains:add syslog+tls://logs.example.com:6514',
    'kith drains:add https://user:password@logs.example.com/kith',
  ],
  async run(context) {
    const { api, screen, args } = context;
    const path = await context.appPath('/log-drains');
    const drain = await screen.progress(`Adding a drain to ${screen.app(await context.app())}`, () =>
      api.post<LogDrainResource>(path, { url: args.url }),
    );
    if (screen.isJson) return screen.json(drain);
    screen.line(`Successfully added drain ${drain.url} (${drain.token})`);
  },
});
