import type { VolumeBackupResource } from '../../src/platform/volume-backup.ts';
import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';
import { backupsPath } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: { backup: { is: 'required', summary: 'id: see `kith volumes:backups`' } },
  flags: {
    confirm: { kind: 'string', short: 'c', value: 'ID', summary: 'id of the backup, once more' },
  },
  details: 'The machine that keeps it frees its disk of it within a day.',
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const app = await context.app();
    await confirm(world, args.backup, flags.confirm, `This gives up the backup ${args.backup} of ⬢ ${app}`);
    const given = await screen.progress(`Destroying backup ${args.backup} of ${screen.app(app)}`, () =>
      api.delete<VolumeBackupResource>(backupsPath(app, args.backup)),
    );
    if (screen.isJson) screen.json(given);
  },
});
