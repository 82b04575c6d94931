import type { AppId, BackupId, BlobId, PeerId, VolumeId } from '../ids.ts';

/** A volume of an app. */
export type VolumeRef = { readonly app: AppId; readonly volume: VolumeId };

/** What the peer that has a volume says of it. */
export type VolumeStatus = {
  /** What its files take of the disk; null when that could not be told in time. */
  readonly bytes: number | null;
  /** What is being done with it, e.g. `copying, 12 MB`; null: nothing. */
  readonly doing: string | null;
};

/** Copies of volumes, wherever they are. Everything here stops the volume's dynos for as long as it must, and no longer. */
export interface Volumes {
  /** Resolves once `to` has it and says so in the ledger. */
  move(ref: VolumeRef, to: PeerId): Promise<void>;
  /** A `.tar.zst` of its files, held by this peer until it is dropped. */
  backup(ref: VolumeRef): Promise<VolumeBackup>;
  /** Has `to` keep a backup of it. Resolves once that is durable there, and written in the ledger. */
  store(ref: VolumeRef, to: PeerId): Promise<BackupId>;
  /** Makes its files those of an archive that this peer holds as a blob. */
  restore(ref: VolumeRef, archive: BlobId): Promise<void>;
  /** The same from a backup's archive, which its peer gets from whoever keeps it; `unavailable` where nobody is up who does. */
  restoreBackup(ref: VolumeRef, archive: BlobId): Promise<void>;
  /** Rejects `unavailable` where its peer does not answer. */
  status(ref: VolumeRef): Promise<VolumeStatus>;
  /** Removes an archive of a volume from this peer's blobs, unless something else needs it. */
  drop(archive: BlobId): Promise<void>;
}

export type VolumeBackup = { readonly archive: BlobId; readonly bytes: number };
