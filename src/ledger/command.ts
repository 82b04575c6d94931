import type {
  AddonId,
  AppId,
  BackupId,
  CertId,
  DrainId,
  OpId,
  PeerId,
  PipelineId,
  ProcessType,
  PromotionId,
  ReleaseId,
  VolumeId,
} from '../ids.ts';
import type { AcmCommand } from './acm-types.ts';
import type { AddonCommand } from './addon-types.ts';
import type { Permission, Role, Scope } from '../rights.ts';
import type { ErrorRecord } from '../errors.ts';
import type { BlobId } from '../ids.ts';
import type {
  CertFacts,
  KeptBackup,
  OpBody,
  OpDraft,
  Sealed,
  SlugRef,
  UserEmail,
  VolumeHold,
  VolumePlace,
} from './op.ts';
import type { CouplingPlace, ReviewSettings, Stage } from './pipeline-types.ts';

/** A write that somebody asks for. Values are sealed before they get here; ids that must be random come with it. */
export type Command =
  | AcmCommand
  | AddonCommand
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
  /** `force`: even if volumes go with it. */
  | { readonly type: 'member.remove'; readonly peer: PeerId; readonly force?: boolean }
  | { readonly type: 'key.rotate'; readonly key: string }
  | {
      readonly type: 'token.create';
      readonly token: string;
      readonly hash: string;
      readonly user: UserEmail;
      readonly description: string;
      readonly scopes: readonly Scope[];
      readonly expiresAt: number | null;
      /** What the user is from now on; null: as before. */
      readonly role: Role | null;
    }
  | {
      readonly type: 'token.update';
      readonly token: string;
      readonly description?: string;
      readonly hash?: string;
      readonly expiresAt?: number | null;
    }
  | { readonly type: 'token.revoke'; readonly token: string }
  /** Null takes all rights from a user: the role, the tokens, what they may do with apps of others. */
  | { readonly type: 'user.set'; readonly user: UserEmail; readonly role: Role | null }
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
  /** Gives the app to another owner; who had it stays a collaborator. */
  | { readonly type: 'app.transfer'; readonly app: AppId; readonly to: UserEmail }
  | {
      readonly type: 'collaborator.set';
      readonly app: AppId;
      readonly user: UserEmail;
      readonly permissions: readonly Permission[] | null;
    }
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
  /** `cert`: what it is to be served with; absent or null: whatever fits. */
  | {
      readonly type: 'domain.add';
      readonly app: AppId;
      readonly hostname: string;
      readonly domain: string;
      readonly cert?: CertId | null;
    }
  | {
      readonly type: 'domain.update';
      readonly app: AppId;
      readonly hostname: string;
      readonly cert: CertId | null;
    }
  /** Of a new id: another certificate. Who asks has checked that chain, key and facts belong together. */
  | {
      readonly type: 'cert.set';
      readonly app: AppId;
      readonly cert: CertId;
      readonly name: string;
      readonly displayName: string | null;
      readonly chain: string;
      readonly key: Sealed;
      readonly facts: CertFacts;
    }
  | { readonly type: 'cert.remove'; readonly app: AppId; readonly cert: CertId }
  | { readonly type: 'domain.remove'; readonly app: AppId; readonly hostname: string }
  /** `drain` is a fresh UUID, `token` is `d.` and another; the URL is sealed as `DRAIN_URL_KEY`. */
  | {
      readonly type: 'drain.add';
      readonly app: AppId;
      readonly drain: DrainId;
      readonly token: string;
      readonly url: Sealed;
      readonly addon: AddonId | null;
    }
  | { readonly type: 'drain.set'; readonly app: AppId; readonly drain: DrainId; readonly url: Sealed }
  | { readonly type: 'drain.remove'; readonly app: AppId; readonly drain: DrainId }
  | { readonly type: 'buildpacks.set'; readonly app: AppId; readonly buildpacks: readonly string[] }
  /** Makes a pipeline, or changes what is given of it. */
  | {
      readonly type: 'pipeline.set';
      readonly pipeline: PipelineId;
      readonly name?: string;
      readonly owner?: UserEmail;
    }
  | { readonly type: 'pipeline.remove'; readonly pipeline: PipelineId }
  | {
      readonly type: 'pipeline.config';
      readonly pipeline: PipelineId;
      readonly stage: Stage;
      readonly config: Readonly<Record<string, Sealed | null>>;
    }
  | {
      readonly type: 'pipeline.review';
      readonly pipeline: PipelineId;
      readonly review: ReviewSettings | null;
    }
  | { readonly type: 'coupling.set'; readonly app: AppId; readonly coupling: CouplingPlace | null }
  /** What the source runs now is to be released at each target. */
  | {
      readonly type: 'promotion.create';
      readonly promotion: PromotionId;
      readonly pipeline: PipelineId;
      readonly source: AppId;
      readonly targets: readonly AppId[];
    }
  /** One target's part of a promotion; said again, it writes nothing. */
  | { readonly type: 'release.promote'; readonly app: AppId; readonly promotion: PromotionId }
  /** Makes an app (as `app.create` does) and the wish that it be set up, all at once. */
  | {
      readonly type: 'setup.create';
      readonly app: AppId;
      readonly name: string | null;
      readonly fallbackName: string;
      readonly setup: Omit<Extract<OpBody, { kind: 'setup.create' }>, 'kind' | 'app' | 'user'>;
    }
  /** Says how it ended, the first time; where it failed, the app goes with it. */
  | {
      readonly type: 'setup.settle';
      readonly app: AppId;
      readonly settled: Omit<Extract<OpBody, { kind: 'setup.settle' }>, 'kind' | 'app'>;
    }
  | {
      readonly type: 'slug.create';
      readonly app: AppId;
      readonly slug: SlugRef;
      readonly checksum: string;
    }
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
