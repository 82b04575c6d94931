import { createWriteStream } from 'node:fs';
import { lstat, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { formatBytes } from '../lib/bytes.ts';
import { CliError } from '../lib/cli-error.ts';
import { defineCommand } from '../lib/command.ts';
import { COPY_MS, fileError, volumesPath, whileTold } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: { name: { is: 'required', summary: 'name or id' } },
  flags: {
    to: { kind: 'string', value: 'FILE', summary: 'the file to write (NAME.tar.zst)' },
  },
  details:
    'Its dynos are stopped while its files are packed, and run again while the archive is sent here.\nThe archive is not encrypted. `tar --zstd -xf FILE` unpacks it anywhere.',
  examples: ['kith volumes:backup data --to data-monday.tar.zst'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const app = await context.app();
    const path = volumesPath(app, args.name);
    const target = resolve(world.cwd, flags.to ?? `${args.name}.tar.zst`);
    if ((await lstat(target).catch(() => null)) !== null) {
      throw new CliError(`Cannot write "${target}": there is something of this name already`, {
        hint: 'Give the backup another name with --to',
      });
    }
    // Under its own name only once it is whole.
    const partial = `${target}.partial`;
    const bytes = await screen.progress(
      `Backing up ${screen.paintErr.cyan(args.name)} of ${screen.app(app)}`,
      async (update) => {
        const archive = await whileTold(api, path, update, () =>
          api.stream(`${path}/backup`, { timeoutMs: COPY_MS }),
        );
        update('fetching');
        const file = createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true });
        try {
          await pipeline(archive, file);
          if (!archive.complete) throw new Error('the peer broke off');
          await rename(partial, target);
        } catch (error) {
          await rm(partial, { force: true });
          throw fileError(target, error);
        }
        return file.bytesWritten;
      },
      (written) => `done, ${formatBytes(written)} in ${target}`,
    );
    if (screen.isJson) screen.json({ path: target, bytes });
  },
});
