import type { AppId, BackupId, OpId, PeerId, ProcessType, ReleaseId, VolumeId } from '../ids.ts';
import type { ErrorRecord } from '../errors.ts';
import type { BlobId } from '../ids.ts';
import type { KeptBackup, OpDraft, Sealed, SlugRef, UserEmail, VolumeHold, VolumePlace } from './op.ts';

/** A write that somebody asks for. Values are sealed before they get here; ids that must be random come with it. */
export type Command =
  | {
      readonly type: 'cluster.found';
      readonly name: string;
      readonly peer: PeerId;
      readonly caCert: string;
      readonly caKey: Sealed;
      readonly key: string;
    }
  | {
      readonly type: 'invite.create';
      readonly invite: string;
      readonly secretHash: string;
      readonly expiresAt: number;
    }
  | {
      readonly type: 'member.admit';
      readonly peer: PeerId;
      readonly invite: string | null;
      readonly name: string;
    }
  | { readonly type: 'member.remove'; readonly peer: PeerId }
  | { readonly type: 'key.rotate'; readonly key: string }
  | {
      readonly type: 'token.create';
      readonly token: string;
      readonly hash: string;
      readonly user: UserEmail;
      readonly description: string;
    }
  | { readonly type: 'token.revoke'; readonly token: string }
  | {
      readonly type: 'stack.set';
      readonly name: string;
      readonly arch: string;
      readonly blob: BlobId;
      readonly bytes: number;
    }
  /** `app` is a fresh UUID; no name: `fallbackName` (a haiku name) is used. Writes release v1 and, as on Heroku, v2 `Enable Logplex`. */
  | {
      readonly type: 'app.create';
      readonly app: AppId;
      readonly name: string | null;
      readonly fallbackName: string;
    }
  | {
      readonly type: 'app.update';
      readonly app: AppId;
      readonly name?: string;
      readonly maintenance?: boolean;
      readonly features?: Readonly<Record<string, boolean>>;
    }
  | { readonly type: 'app.destroy'; readonly app: AppId }
  /** A patch that changes nothing makes no release. */
  | {
      readonly type: 'config.patch';
      readonly app: AppId;
      readonly config: Readonly<Record<string, Sealed | null>>;
    }
  /** Also sets `web=1` where the app has no formation yet, and drops types that the slug no longer declares to 0. */
  | {
      readonly type: 'release.deploy';
      readonly app: AppId;
      readonly slug: SlugRef;
      readonly description: string;
    }
  | { readonly type: 'release.rollback'; readonly app: AppId; readonly to: ReleaseId }
  /** Says who runs a release's command, before it is run; nothing where the release is settled. */
  | {
      readonly type: 'release.attempt';
      readonly app: AppId;
      readonly release: ReleaseId;
      readonly slug: BlobId;
      readonly peer: PeerId;
    }
  /** What came of it: the first to say so is right. What the formation shall be from now on comes with it. */
  | {
      readonly type: 'release.settle';
      readonly app: AppId;
      readonly release: ReleaseId;
      readonly slug: BlobId;
      readonly status: 'succeeded' | 'failed';
      readonly output: BlobId | null;
      readonly reason: string | null;
    }
  /** Joins several heads; refused with `conflict` where there is one. Issued by the home peer itself. */
  | { readonly type: 'release.merge'; readonly app: AppId }
  | {
      readonly type: 'formation.scale';
      readonly app: AppId;
      readonly updates: readonly {
        readonly type: string;
        readonly quantity?: number;
        readonly by?: number;
        readonly size?: string;
      }[];
    }
  | {
      readonly type: 'formation.restart';
      readonly app: AppId;
      readonly process: ProcessType | null;
      readonly index: number | null;
    }
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
  | { readonly type: 'volume.destroy'; readonly app: AppId; readonly volume: VolumeId }
  | { readonly type: 'domain.add'; readonly app: AppId; readonly hostname: string; readonly domain: string }
  | { readonly type: 'domain.remove'; readonly app: AppId; readonly hostname: string }
  /** `drain` is a fresh UUID, `token` is `d.` and another; the URL is sealed as `DRAIN_URL_KEY`. */
  | {
      readonly type: 'drain.add';
      readonly app: AppId;
      readonly drain: DrainId;
      readonly token: string;
      readonly url: Sealed;
      readonly addon: string | null;
    }
  | { readonly type: 'drain.set'; readonly app: AppId; readonly drain: DrainId; readonly url: Sealed }
  | { readonly type: 'drain.remove'; readonly app: AppId; readonly drain: DrainId }
  | { readonly type: 'buildpacks.set'; readonly app: AppId; readonly buildpacks: readonly string[] }
  | {
      readonly type: 'build.record';
      readonly app: AppId;
      readonly build: string;
      readonly status: 'succeeded' | 'failed';
      readonly commit: string | null;
      readonly buildpacks: readonly string[];
      readonly output: BlobId | null;
      readonly release: ReleaseId | null;
      readonly startedAt: number;
    };

/** Who asks, and the id that makes a repeated request the same write. */
export type CommandContext = { readonly user: UserEmail; readonly request: string | null };

/** What `decide` says: ops to append (none when the write is already there, or changes nothing), or why not. */
export type Decision =
  | {
      readonly ok: true;
      readonly drafts: readonly OpDraft[];
      /** The earlier op of a repeated request. */ readonly repeats: OpId | null;
    }
  | { readonly ok: false; readonly error: ErrorRecord };

/** What the asker gets: the ops that hold the result (found in the view by id), or the error. */
export type CommandResult =
  | { readonly ok: true; readonly ops: readonly OpId[] }
  | { readonly ok: false; readonly error: ErrorRecord };
