import type { ProviderResource } from '../../src/platform/provider.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  async run({ api, screen }) {
    const providers = await api.get<readonly ProviderResource[]>('/kith/providers');
    if (screen.isJson) return screen.json(providers);
    if (providers.length === 0) return screen.line('There are no add-on providers.');
    screen.table(
      ['PROVIDER', 'WHERE', 'PLANS', 'ADD-ONS', 'SETTINGS'],
      providers.map((provider) => [
        screen.paint.cyan(provider.id),
        provider.base_url ?? (provider.built_in ? whereOf(provider) : ''),
        provider.plans.join(', '),
        String(provider.addons),
        provider.settings.map(({ name, set }) => (set ? `${name} (set)` : name)).join(', '),
      ]),
    );
  },
});

function whereOf({ app }: ProviderResource): string {
  return app === null ? 'built in' : `built in, run by ⬢ ${app.name}`;
}
