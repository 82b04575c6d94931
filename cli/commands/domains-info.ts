import type { DomainResource } from '../../src/platform/domain.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  ofApp: true,
  args: { hostname: { is: 'required' } },
  async run(context) {
    const { api, screen, args, world } = context;
    const path = await context.appPath(`/domains/${encodeURIComponent(args.hostname)}`);
    const domain = await api.get<DomainResource>(path);
    if (screen.isJson) return screen.json(domain);
    screen.heading(domain.hostname);
    screen.line();
    screen.facts({
      Id: domain.id,
      Kind: domain.kind,
      'DNS target': domain.cname ?? undefined,
      Certificate: domain.sni_endpoint?.name ?? 'whichever fits',
      Created: formatMoment(domain.created_at, world.now()),
    });
  },
});
