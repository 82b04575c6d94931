import type { ProviderResource } from '../../src/platform/provider.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { readSecret } from '../lib/line/prompt.ts';

export default defineCommand({
  args: {
    provider: { is: 'required', summary: 'a built-in one: see `kith providers`' },
    name: { is: 'required', summary: 'the setting' },
  },
  flags: { unset: { kind: 'boolean', summary: 'take the setting away' } },
  details:
    'Asks for the value, or reads it from stdin: settings hold passwords, which everybody could read in a command line.',
  examples: ['kith providers:set kith-postgresql server', 'kith providers:set kith-redis server < redis-url'],
  async run({ api, screen, args, flags, world }) {
    const value = flags.unset ? null : await readSecret(world, `${args.name} of ${args.provider}: `);
    if (value === '') {
      throw new UsageError('No value was given', 'Type it, or pipe it in; --unset takes the setting away');
    }
    const provider = await screen.progress(
      `${value === null ? 'Unsetting' : 'Setting'} ${args.name} of ${screen.paintErr.cyan(args.provider)}`,
      () =>
        api.patch<ProviderResource>(`/kith/providers/${encodeURIComponent(args.provider)}`, {
          settings: { [args.name]: value },
        }),
    );
    if (screen.isJson) screen.json(provider);
  },
});
