import type { DomainResource } from '../../src/platform/domain.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { hostname: { is: 'required' } },
  async run(context) {
    const { api, screen, args } = context;
    const path = await context.appPath(`/domains/${encodeURIComponent(args.hostname)}`);
    const domain = await screen.progress(
      `Removing ${screen.paintErr.green(args.hostname)} from ${screen.app(await context.app())}`,
      () => api.delete<DomainResource>(path),
    );
    if (screen.isJson) screen.json(domain);
  },
});
