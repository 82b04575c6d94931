import type { DomainResource } from '../../src/platform/domain.ts';
import { listDomains } from '../lib/certs.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const appPath = await context.appPath();
    const removed = await screen.progress(
      `Removing all domains from ${screen.app(await context.app())}`,
      async () => {
        const custom = (await listDomains(api, appPath)).filter(({ kind }) => kind === 'custom');
        const gone: DomainResource[] = [];
        for (const { id } of custom) gone.push(await api.delete<DomainResource>(`${appPath}/domains/${id}`));
        return gone;
      },
    );
    if (screen.isJson) screen.json(removed);
  },
});
