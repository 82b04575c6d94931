import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatBytes } from '../lib/print/bytes.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { DUMP_MS, dumpPath, findDatabase, POSTGRESQL } from '../lib/databases/databases.ts';
import { writeWhole } from '../lib/write-whole.ts';

export default defineCommand({
  ofApp: true,
  args: { addon: { is: 'optional', summary: 'its name, or an attachment of the app' } },
  flags: {
    output: { kind: 'string', short: 'o', value: 'FILE', summary: 'the file to write (NAME.dump)' },
  },
  details:
    'The peer runs `pg_dump` and sends what that writes, in its custom format: `pg_restore` reads it anywhere. The file is not encrypted.',
  examples: ['kith pg:backups:download -a blog -o monday.dump'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const addon = await findDatabase(api, POSTGRESQL, args.addon, () => context.app());
    const target = resolve(world.cwd, flags.output ?? `${addon.name}.dump`);
    if ((await lstat(target).catch(() => null)) !== null) {
      throw new CliError(`Cannot write "${target}": there is something of this name already`, {
        hint: 'Give the dump another name with --output',
      });
    }
    const bytes = await screen.progress(
      `Dumping ${screen.paintErr.cyan(addon.name)}`,
      async () => writeWhole(target, await api.stream(dumpPath(addon), { timeoutMs: DUMP_MS })),
      (written) => `done, ${formatBytes(written)} in ${target}`,
    );
    if (screen.isJson) screen.json({ path: target, bytes });
  },
});
