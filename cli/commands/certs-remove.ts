import type { SniEndpointResource } from '../../src/platform/sni-endpoint.ts';
import { certsPath, findCert } from '../lib/certs.ts';
import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';

export default defineCommand({
  ofApp: true,
  flags: {
    name: { kind: 'string', value: 'NAME', summary: 'which, where there is more than one' },
    confirm: { kind: 'string', short: 'c', value: 'APP', summary: 'name of the app, once more' },
  },
  async run(context) {
    const { api, screen, flags, world } = context;
    const app = await context.app();
    const { id, name } = await findCert(api, app, flags.name);
    await confirm(world, app, flags.confirm, `This removes the certificate ${name} of ⬢ ${app}`);
    const removed = await screen.progress(`Removing ${name} from ${screen.app(app)}`, () =>
      api.delete<SniEndpointResource>(certsPath(app, id)),
    );
    if (screen.isJson) screen.json(removed);
  },
});
