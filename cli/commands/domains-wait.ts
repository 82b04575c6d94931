import type { DomainResource } from '../../src/platform/domain.ts';
import { listDomains } from '../lib/certs.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { hostname: { is: 'optional', summary: 'one domain; all of the app unless given' } },
  details: 'A domain serves as soon as it was added: this never waits for long.',
  async run(context) {
    const { api, screen, args } = context;
    const appPath = await context.appPath();
    const domains =
      args.hostname === undefined
        ? (await listDomains(api, appPath)).filter(({ kind }) => kind === 'custom')
        : [await api.get<DomainResource>(`${appPath}/domains/${encodeURIComponent(args.hostname)}`)];
    if (screen.isJson) return screen.json(domains);
    for (const { hostname } of domains) screen.line(`${hostname} is served`);
  },
});
