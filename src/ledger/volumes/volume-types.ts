import type { AppId, BackupId, BlobId, OpId, PeerId, ProcessType, VolumeId } from '../../ids.ts';
import type { Hlc } from '../hlc.ts';

/** Where a volume's files are. Each copy that is ever made of them has a name of its own. */
export type VolumePlace = { readonly peer: PeerId; readonly copy: string };

/** An archive of a volume's files, and the peer that was asked to keep it. */
export type KeptBackup = { readonly peer: PeerId; readonly archive: BlobId; readonly bytes: number };

/** Why a volume's dynos are kept from running. */
export type VolumeHold = 'move' | 'backup' | 'restore';

/** Each volume is written of by the peer that has it: see `VolumeState` in `src/ledger/volumes/fold-volume.ts`. */
export type VolumeBody =
  | {
      readonly kind: 'volume.create';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly name: string;
      readonly place: VolumePlace;
    }
  /** The dynos of `type` see it at `path` from now on; null: none does. */
  | {
      readonly kind: 'volume.mount';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly mount: { readonly type: ProcessType; readonly path: string } | null;
    }
  /** Keeps its dynos from running while its files are copied; null ends that. Written by the peer that has it alone. */
  | {
      readonly kind: 'volume.hold';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly why: VolumeHold | null;
    }
  /** Its peer gives it away: from now on `to` alone writes of it. `from` keeps its copy until `to` is ready. */
  | {
      readonly kind: 'volume.move';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly to: VolumePlace;
      readonly from: VolumePlace;
    }
  /** Its peer has this copy on its disk. */
  | {
      readonly kind: 'volume.ready';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly copy: string;
    }
  /** An archive of its files is kept; null: not any more. It outlives the volume, and goes with the app. */
  | {
      readonly kind: 'volume.backup';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly backup: BackupId;
      readonly kept: KeptBackup | null;
    }
  | { readonly kind: 'volume.destroy'; readonly app: AppId; readonly volume: VolumeId };

export type VolumeCommand =
  | {
      readonly type: 'volume.create';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly name: string;
      readonly place: VolumePlace;
    }
  | {
      readonly type: 'volume.mount';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly mount: { readonly process: string; readonly path: string } | null;
    }
  /** This and the next three are asked by `by`, the peer that writes them. */
  | {
      readonly type: 'volume.hold';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly by: PeerId;
      readonly why: VolumeHold | null;
    }
  /** Gives a volume to another peer, or to another copy, under the very hold that its files were copied under. */
  | {
      readonly type: 'volume.move';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly by: PeerId;
      readonly hold: OpId;
      readonly to: VolumePlace;
    }
  /** Its new peer has the copy; the hold ends. */
  | {
      readonly type: 'volume.ready';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly by: PeerId;
      readonly copy: string;
    }
  /** Its new peer has no such copy, or was removed from the cluster: whoever had the volume before has it again. */
  | {
      readonly type: 'volume.return';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly by: PeerId;
    }
  | {
      readonly type: 'volume.backup';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly backup: BackupId;
      readonly kept: KeptBackup | null;
    }
  | { readonly type: 'volume.destroy'; readonly app: AppId; readonly volume: VolumeId };

/** Files that outlive dynos. They are on one peer, and its dynos run there and nowhere else. */
export type Volume = {
  readonly id: VolumeId;
  readonly name: string;
  readonly createdAt: number;
  readonly place: VolumePlace;
  /** Who had it before, and keeps that copy until the place is ready; null before the first move. */
  readonly from: VolumePlace | null;
  /** Whether the place's peer has said that it has the copy. */
  readonly ready: boolean;
  /** `by` names the write, as part of its dynos' generation. */
  readonly mount: { readonly type: ProcessType; readonly path: string; readonly by: OpId } | null;
  /** Its dynos must not run now, for this reason. */
  readonly hold: VolumeHold | null;
  /** The write that holds it: names one hold among others. */
  readonly heldBy: OpId | null;
};

/** An archive of a volume's files: in the blob store of the peer that was asked to keep it, and found by its id. */
export type Backup = KeptBackup & {
  readonly id: BackupId;
  readonly volume: VolumeId;
  /** The volume's, which may be gone. */
  readonly name: string;
  /** When it was written down. */
  readonly hlc: Hlc;
};
