import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { VolumeBackupResource } from '../../src/platform/volume-backup.ts';
import { formatBytes } from '../lib/print/bytes.ts';
import { CliError, UsageError } from '../lib/line/cli-error.ts';
import type { Client } from '../lib/api/client.ts';
import { defineCommand } from '../lib/line/command.ts';
import { COPY_MS, volumesPath, whileTold } from '../lib/volumes.ts';
import { writeWhole } from '../lib/write-whole.ts';

export default defineCommand({
  ofApp: true,
  args: { name: { is: 'required', summary: 'name or id' } },
  flags: {
    to: { kind: 'string', value: 'FILE', summary: 'the file to write (NAME.tar.zst)' },
    peer: { kind: 'string', value: 'PEER', summary: 'have this machine keep it, instead of a file here' },
  },
  details:
    'Its dynos are stopped while its files are packed, and run again while the archive is sent. The archive is not encrypted. `tar --zstd -xf FILE` unpacks it anywhere. Of what machines keep, see `kith volumes:backups`.',
  examples: ['kith volumes:backup data --to data-monday.tar.zst', 'kith volumes:backup data --peer attic'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const app = await context.app();
    const path = volumesPath(app, args.name);
    const label = `Backing up ${screen.paintErr.cyan(args.name)} of ${screen.app(app)}`;
    if (flags.peer !== undefined) {
      if (flags.to !== undefined) {
        throw new UsageError('Cannot write a backup to two places at once', 'Name either --to or --peer');
      }
      const made = await screen.progress(
        label,
        (update) => whileTold(api, path, update, () => store(api, path, flags.peer)),
        ({ id, bytes, peer }) => `done, ${formatBytes(bytes)} on ${peer.name}: ${id}`,
      );
      if (screen.isJson) screen.json(made);
      return;
    }
    const target = resolve(world.cwd, flags.to ?? `${args.name}.tar.zst`);
    if ((await lstat(target).catch(() => null)) !== null) {
      throw new CliError(`Cannot write "${target}": there is something of this name already`, {
        hint: 'Give the backup another name with --to',
      });
    }
    const bytes = await screen.progress(
      label,
      (update) => fetchTo(target, api, path, update),
      (written) => `done, ${formatBytes(written)} in ${target}`,
    );
    if (screen.isJson) screen.json({ path: target, bytes });
  },
});

function store(api: Client, path: string, peer: string | undefined): Promise<VolumeBackupResource> {
  return api.post<VolumeBackupResource>(`${path}/backups`, { peer }, { timeoutMs: COPY_MS });
}

/** Under its own name only once it is whole. @returns bytes written */
async function fetchTo(
  target: string,
  api: Client,
  path: string,
  update: (status: string) => void,
): Promise<number> {
  const archive = await whileTold(api, path, update, () =>
    api.stream(`${path}/backup`, { timeoutMs: COPY_MS }),
  );
  update('fetching');
  return writeWhole(target, archive);
}
