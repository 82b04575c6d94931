import type { DomainResource } from '../../src/platform/domain.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const path = await context.appPath('/domains');
    const domains = await api.get<readonly DomainResource[]>(path, { range: 'id ..; max=1000;' });
    if (screen.isJson) return screen.json(domains);
    const app = await context.app();
    for (const { hostname, kind } of domains) {
      if (kind !== 'heroku') continue;
      screen.heading(`${app} Kith Domain`);
      screen.line();
      screen.line(hostname);
    }
    const custom = domains.filter(({ kind }) => kind === 'custom');
    if (custom.length === 0) return;
    screen.line();
    screen.heading(`${app} Custom Domains`);
    screen.line();
    screen.table(
      ['DOMAIN NAME', 'DNS TARGET', 'CERTIFICATE'],
      custom.map(({ hostname, cname, sni_endpoint: cert }) => [hostname, cname ?? '', cert?.name ?? '']),
    );
  },
});
