import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';
import { DUMP_MS, dumpPath, findDatabase, POSTGRESQL } from '../lib/databases/databases.ts';
import { fileError } from '../lib/line/file-error.ts';

export default defineCommand({
  ofApp: true,
  args: {
    file: { is: 'required', summary: 'what `kith pg:backups:download`, or `pg_dump -Fc`, wrote' },
    addon: { is: 'optional', summary: 'its name, or an attachment of the app' },
  },
  flags: {
    confirm: { kind: 'string', short: 'c', value: 'APP', summary: 'name of the app, once more' },
  },
  details:
    'The peer gives it to `pg_restore`, in one transaction: it replaces what it has of the same name, or changes nothing.',
  examples: ['kith pg:backups:restore monday.dump -a blog'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const path = resolve(world.cwd, args.file);
    const { size } = await stat(path).catch((error: unknown) => {
      throw fileError(path, error);
    });
    const addon = await findDatabase(api, POSTGRESQL, args.addon, () => context.app());
    await confirm(world, addon.app.name, flags.confirm, `This replaces what is in ${addon.name}`);
    const upload = { source: () => createReadStream(path), bytes: size };
    await screen.progress(`Restoring ${screen.paintErr.cyan(addon.name)}`, () =>
      api.upload(dumpPath(addon), upload, DUMP_MS),
    );
    if (screen.isJson) screen.json(addon);
  },
});
