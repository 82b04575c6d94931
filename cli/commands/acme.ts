import type { AcmeResource } from '../../src/platform/acme.ts';
import { printAcme } from '../lib/acme.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  async run({ api, screen, world }) {
    const acme = await api.get<AcmeResource>('/kith/acme');
    if (screen.isJson) return screen.json(acme);
    printAcme(screen, acme, world.now());
  },
});
