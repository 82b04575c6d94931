import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';

export default defineCommand({
  args: { provider: { is: 'required' } },
  flags: { confirm: { kind: 'string', short: 'c', value: 'ID', summary: 'its id, once more' } },
  async run({ api, screen, args, flags, world }) {
    await confirm(world, args.provider, flags.confirm, `This removes the add-on provider ${args.provider}`);
    const provider = await screen.progress(`Removing ${args.provider}`, () =>
      api.delete<object>(`/kith/providers/${encodeURIComponent(args.provider)}`),
    );
    if (screen.isJson) screen.json(provider);
  },
});
