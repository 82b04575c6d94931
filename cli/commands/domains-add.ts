import type { DomainResource } from '../../src/platform/domain.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { hostname: { is: 'required', summary: 'www.example.com, or *.example.com for all names below' } },
  flags: {
    cert: { kind: 'string', value: 'NAME', summary: 'certificate to serve it with; whichever fits' },
  },
  async run(context) {
    const { api, screen, args, flags } = context;
    const path = await context.appPath('/domains');
    const domain = await screen.progress(
      `Adding ${screen.paintErr.green(args.hostname)} to ${screen.app(await context.app())}`,
      () => api.post<DomainResource>(path, { hostname: args.hostname, sni_endpoint: flags.cert ?? null }),
    );
    if (screen.isJson) return screen.json(domain);
    screen.line(`Point the DNS of ${domain.hostname} to any of your machines: every peer serves it.`);
  },
});
