import { PlatformError } from '../errors.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { backupsInReach } from '../ledger/reach.ts';
import type { View } from '../ledger/view.ts';
import type { Backup } from '../ledger/volumes/volume-types.ts';
import type { PeerStatus } from '../shell/host.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { peerRef } from './peer-names.ts';
import type { PeerRef } from './peer-names.ts';
import { isoTime } from './time.ts';

/** A backup that a peer keeps. The volume may be gone since. */
export type VolumeBackupResource = {
  readonly id: string;
  readonly app: AppRef;
  readonly volume: { readonly id: string; readonly name: string };
  readonly bytes: number;
  /** The machine that was asked to keep it. */
  readonly peer: PeerRef;
  /** Machines that are up and have it: a restore needs one. */
  readonly held_by: readonly PeerRef[];
  readonly created_at: string;
};

export function volumeBackupResource(
  view: View,
  peers: readonly PeerStatus[],
  app: App,
  backup: Backup,
): VolumeBackupResource {
  return {
    id: backup.id,
    app: appRef(app),
    volume: { id: backup.volume, name: backup.name },
    bytes: backup.bytes,
    peer: peerRef(view, backup.peer),
    held_by: peers
      .filter(({ verdict, facts }) => verdict === 'alive' && facts?.blobs.includes(backup.archive))
      .map(({ peer }) => peerRef(view, peer)),
    created_at: isoTime(backup.hlc.ms),
  };
}

/** @throws PlatformError `not_found`, also for one that newer ones have pushed out */
export function mustFindBackup(app: App, id: string): Backup {
  const found = backupsInReach(app).find((backup) => backup.id === id.toLowerCase());
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the backup "${id}" of "${app.name}".`, {
    resource: 'backup',
    hint: 'See `kith volumes:backups` for those that are kept',
  });
}
