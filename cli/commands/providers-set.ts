import { readFile } from 'node:fs/promises';
import type { ProviderResource } from '../../src/platform/provider.ts';
import { UsageError } from '../lib/cli-error.ts';
import { defineCommand } from '../lib/command.ts';

export default defineCommand({
  args: {
    provider: { is: 'required', summary: 'a built-in one: see `kith providers`' },
    settings: {
      is: 'rest',
      summary: 'NAME=VALUE, or NAME=@FILE for a secret; nothing after = takes it away',
    },
  },
  examples: ['kith providers:set kith-postgresql server=@postgres-url.txt'],
  async run({ api, screen, args }) {
    const settings = Object.fromEntries(await Promise.all(args.settings.map(parseSetting)));
    if (args.settings.length === 0) throw new UsageError('Nothing to set', 'Name settings as NAME=VALUE');
    const provider = await screen.progress(
      `Setting ${Object.keys(settings).join(', ')} of ${args.provider}`,
      () => api.patch<ProviderResource>(`/kith/providers/${encodeURIComponent(args.provider)}`, { settings }),
    );
    if (screen.isJson) screen.json(provider);
  },
});

/** A file keeps a secret out of the list of processes and of the shell's history. */
async function parseSetting(word: string): Promise<[string, string | null]> {
  const equals = word.indexOf('=');
  if (equals < 1) throw new UsageError(`"${word}" sets nothing`, 'Name settings as NAME=VALUE');
  const value = word.slice(equals + 1);
  const name = word.slice(0, equals);
  if (value.startsWith('@')) return [name, (await readFile(value.slice(1), 'utf8')).trim()];
  return [name, value === '' ? null : value];
}
