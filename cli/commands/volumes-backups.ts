import type { VolumeBackupResource } from '../../src/platform/volume-backup.ts';
import { formatBytes } from '../lib/print/bytes.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatMoment } from '../lib/print/time.ts';
import { backupsPath } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  details:
    'The newest seven of each volume are kept, also when the volume is gone. `kith volumes:restore NAME --from BACKUP` puts one into any volume of the app.',
  async run(context) {
    const { api, screen, world } = context;
    const app = await context.app();
    const backups = await api.get<readonly VolumeBackupResource[]>(backupsPath(app));
    if (screen.isJson) return screen.json(backups);
    if (backups.length === 0) {
      screen.line(`No backups of volumes of ⬢ ${app} on any peer`);
      return;
    }
    screen.table(
      ['BACKUP', 'VOLUME', 'SIZE', 'MADE', 'KEPT ON'],
      backups.map((backup) => [
        backup.id,
        backup.volume.name,
        formatBytes(backup.bytes),
        formatMoment(backup.created_at, world.now()),
        holdersOf(backup),
      ]),
    );
  },
});

/** `pi`, or the peer that was to keep it and why it is of no use now. */
function holdersOf({ held_by, peer }: VolumeBackupResource): string {
  return held_by.length === 0 ? `${peer.name} (not reachable)` : held_by.map(({ name }) => name).join(', ');
}
