import type { SniEndpointResource } from '../../src/platform/sni-endpoint.ts';
import { PAIR_ARGS, certsPath, findCert, listDomains, printCert, readPair, servedBy } from '../lib/certs.ts';
import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';

export default defineCommand({
  ofApp: true,
  args: PAIR_ARGS,
  flags: {
    name: { kind: 'string', value: 'NAME', summary: 'which to replace, where there is more than one' },
    confirm: { kind: 'string', short: 'c', value: 'APP', summary: 'name of the app, once more' },
  },
  details: 'Connections that are open go on as they are; the next ones see the new certificate.',
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const app = await context.app();
    const pair = await readPair(args.crt, args.key);
    const { id, name } = await findCert(api, app, flags.name);
    await confirm(world, app, flags.confirm, `This replaces the certificate ${name} of ⬢ ${app}`);
    const cert = await screen.progress(`Replacing ${name} of ${screen.app(app)}`, () =>
      api.patch<SniEndpointResource>(certsPath(app, id), pair),
    );
    if (screen.isJson) return screen.json(cert);
    const domains = await listDomains(api, await context.appPath());
    printCert(screen, cert, servedBy(cert, domains), world.now());
  },
});
