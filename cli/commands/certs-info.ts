import { findCert, listDomains, printCert, servedBy } from '../lib/certs.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  flags: {
    name: { kind: 'string', value: 'NAME', summary: 'which, where there is more than one' },
  },
  async run(context) {
    const { api, screen, flags, world } = context;
    const cert = await findCert(api, await context.app(), flags.name);
    if (screen.isJson) return screen.json(cert);
    const domains = await listDomains(api, await context.appPath());
    printCert(screen, cert, servedBy(cert, domains), world.now());
  },
});
