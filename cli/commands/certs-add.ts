import type { SniEndpointResource } from '../../src/platform/sni-endpoint.ts';
import { PAIR_ARGS, certsPath, listDomains, printCert, readPair, servedBy } from '../lib/certs.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: PAIR_ARGS,
  flags: {
    'display-name': { kind: 'string', value: 'TEXT', summary: 'what it is called besides its name' },
  },
  details: 'Every peer serves it from now on for those domains of the app that it is for.',
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const app = await context.app();
    const pair = await readPair(args.crt, args.key);
    const title = flags['display-name'];
    const body = title === undefined ? pair : { ...pair, display_name: title };
    const cert = await screen.progress(`Adding a certificate to ${screen.app(app)}`, () =>
      api.post<SniEndpointResource>(certsPath(app), body),
    );
    if (screen.isJson) return screen.json(cert);
    const domains = await listDomains(api, await context.appPath());
    printCert(screen, cert, servedBy(cert, domains), world.now());
  },
});
