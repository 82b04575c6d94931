import type { AddonResource, AttachmentResource } from '../../src/platform/addon.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { addon: { is: 'required', summary: "its name; it may be another app's" } },
  flags: {
    as: { kind: 'string', value: 'NAME', summary: 'what its config vars begin with here' },
    confirm: {
      kind: 'string',
      short: 'c',
      value: 'APP',
      summary: 'the app, if its config vars may be replaced',
    },
  },
  examples: ['kith addons:attach acme-redis-flat-12345 --as CACHE --app shop'],
  async run(context) {
    const { api, screen, args, flags } = context;
    const app = await context.app();
    const addon = await api.get<AddonResource>(`/addons/${encodeURIComponent(args.addon)}`);
    const attachment = await screen.progress(
      `Attaching ${screen.paintErr.cyan(addon.name)} to ${screen.app(app)}`,
      () =>
        api.post<AttachmentResource>('/addon-attachments', {
          addon: { name: addon.name },
          app: { name: app },
          ...(flags.as === undefined ? {} : { name: flags.as }),
          ...(flags.confirm === undefined ? {} : { confirm: flags.confirm }),
        }),
      ({ name }) => `done, as ${name}`,
    );
    if (screen.isJson) screen.json(attachment);
  },
});
