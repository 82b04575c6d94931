import type { AcmBody } from './acm-types.ts';
import type { AddonBody, Attached, ProviderBody } from './addon-types.ts';
import type { Permission, Role } from '../rights.ts';
import type {
  AddonId,
  AppId,
  AppName,
  AttachmentId,
  BackupId,
  BlobId,
  CertId,
  ClusterId,
  DrainId,
  Epoch,
  OpId,
  PeerId,
  PipelineId,
  ProcessType,
  PromotionId,
  SetupId,
  VolumeId,
} from '../ids.ts';
import type { CouplingPlace, ReviewOf, ReviewSettings, Stage } from './pipeline-types.ts';

/** Hybrid logical clock: wall milliseconds and a counter for writes within one of them. */
export type Hlc = { readonly ms: number; readonly n: number };

/**
 * One signed fact. `prev` chains an author's ops of one epoch (null at seq 0); `parents` names the ops whose effect
 * this one replaces, whoever wrote them: causality is explicit, never guessed from clocks.
 */
export type Op = {
  readonly v: 1;
  readonly cluster: ClusterId;
  readonly author: PeerId;
  readonly epoch: Epoch;
  readonly seq: number;
  readonly prev: OpId | null;
  readonly hlc: Hlc;
  readonly parents: readonly OpId[];
  /** Known kinds are those of `OpBody`; an unknown kind is kept, synced and skipped. */
  readonly kind: string;
  readonly body: unknown;
  /** Ed25519 over the domain-separated id. */
  readonly sig: Uint8Array;
};

/** An op with its identity and the exact bytes it travels and is stored as. */
export type StoredOp = { readonly id: OpId; readonly op: Op; readonly bytes: Uint8Array };

/** A sealed config value: opaque here. Equal clear texts of one app, key name and data key seal to equal bytes. */
export type Sealed = Uint8Array;

export type SlugRef = {
  readonly id: BlobId;
  readonly bytes: number;
  /** `x64`, `arm64`, or `any` where nothing in the slug was compiled. */
  readonly arch: string;
  readonly stack: string;
  readonly processTypes: Readonly<Record<string, string>>;
  readonly commit: string | null;
  /** What `apps:info` shows, e.g. `Node.js`. */
  readonly buildpack: string | null;
  /** What lies under the slug and is shared by many releases, the lowest first; absent: nothing does. */
  readonly layers?: readonly { readonly id: BlobId; readonly bytes: number }[];
  /** `image` for a container image made from a Dockerfile, whose configuration `id` is; absent: a slug. */
  readonly format?: 'image';
  /** What the source's app.json asks for at an app's first deploy; absent: nothing. */
  readonly setup?: SlugSetup;
  /** The id that it was given before its archive was sent; absent: it was built here, and its id comes from `id`. */
  readonly upload?: string;
  /** Git bundle of the branch that was pushed: lets any peer take the next push. Null for source tarballs. */
  readonly source: BlobId | null;
};

export type SlugSetup = {
  readonly formation: Readonly<Record<string, { readonly quantity: number; readonly size: string | null }>>;
  /** The command of `scripts.postdeploy`. */
  readonly postdeploy: string | null;
};

/** Where a volume's files are. Each copy that is ever made of them has a name of its own. */
export type VolumePlace = { readonly peer: PeerId; readonly copy: string };
/** An archive of a volume's files, and the peer that was asked to keep it. */
export type KeptBackup = { readonly peer: PeerId; readonly archive: BlobId; readonly bytes: number };
/** Why a volume's dynos are kept from running. */
export type VolumeHold = 'move' | 'backup' | 'restore';

/** What a certificate says of itself: read once, from its chain, when it is added. Times are wall ms. */
export type CertFacts = {
  /** Host names it is for, lower case: `www.example.com`, `*.example.com`. */
  readonly names: readonly string[];
  readonly startsAt: number;
  readonly expiresAt: number;
  readonly issuer: string;
  readonly subject: string;
  /** Whether its chain ends at an authority that browsers know. */
  readonly trusted: boolean;
};

/** The user an op was made for, as shown in `releases`. */
export type UserEmail = string;

/** Body by kind. `request` is the client's Request-Id: a repeated one is the same write. */
export type OpBody =
  | AcmBody
  | AddonBody
  | ProviderBody
  | { readonly kind: 'cluster.found'; readonly name: string; readonly caCert: string; readonly caKey: Sealed }
  | {
      readonly kind: 'invite.create';
      readonly invite: string;
      readonly secretHash: string;
      readonly expiresAt: number;
    }
  | {
      readonly kind: 'member.admit';
      readonly peer: PeerId;
      readonly invite: string | null;
      readonly name: string;
    }
  /** `cut`: the last sequence number per epoch of that peer's log that still counts; later ones are kept and ignored. */
  | { readonly kind: 'member.remove'; readonly peer: PeerId; readonly cut: Readonly<Record<string, number>> }
  /** Names the data key that new values are sealed with; the key itself travels only over peers' channels. */
  | { readonly kind: 'key.rotate'; readonly key: string }
  | {
      readonly kind: 'token.create';
      readonly token: string;
      readonly hash: string;
      readonly user: UserEmail;
      readonly description: string;
      /** What it is good for; absent: it is older than roles and scopes, and so was meant for everything. */
      readonly scopes?: readonly string[];
      /** When it ends, in wall ms; absent: when it is revoked. */
      readonly expiresAt?: number;
    }
  /** `hash`: another text takes the place of the one before. */
  | {
      readonly kind: 'token.update';
      readonly token: string;
      readonly description?: string;
      readonly hash?: string;
      readonly expiresAt?: number | null;
    }
  | { readonly kind: 'token.revoke'; readonly token: string }
  /** What a user is to the cluster; null: nothing any more. Users are written in lower case. */
  | { readonly kind: 'user.set'; readonly user: UserEmail; readonly role: Role | null }
  /** Which blob is the stack image of an architecture: a `.tar.zst` of its root file system. `name` is what an Engine calls it. */
  | {
      readonly kind: 'stack.set';
      readonly name: string;
      readonly arch: string;
      readonly blob: BlobId;
      readonly bytes: number;
    }
  | {
      readonly kind: 'app.create';
      readonly app: AppId;
      readonly name: AppName;
      readonly owner: UserEmail;
      readonly request: string | null;
    }
  | {
      readonly kind: 'app.update';
      readonly app: AppId;
      readonly name?: AppName;
      readonly owner?: UserEmail;
      readonly maintenance?: boolean;
      /** Switches these on or off. */
      readonly features?: Readonly<Record<string, boolean>>;
    }
  | { readonly kind: 'app.destroy'; readonly app: AppId }
  /** What somebody may do with an app beside what their role allows; null: nothing. */
  | {
      readonly kind: 'collaborator.set';
      readonly app: AppId;
      readonly user: UserEmail;
      readonly permissions: readonly Permission[] | null;
    }
  | {
      readonly kind: 'release';
      readonly app: AppId;
      /** `merge` joins the heads that a split left; the others are what a user did. */
      readonly cause: 'create' | 'config' | 'deploy' | 'promote' | 'addon' | 'rollback' | 'merge';
      readonly description: string;
      readonly user: UserEmail;
      /** Only a deploy or a promotion names one; otherwise the slug is the parents' (a rollback names the target's). */
      readonly slug: SlugRef | null;
      /** Writes of this release: a value, or null for unset. */
      readonly config: Readonly<Record<string, Sealed | null>>;
      /** What became of attachments of add-ons, null where one was detached; absent: nothing. */
      readonly attachments?: Readonly<Record<AttachmentId, Attached | null>>;
      readonly request: string | null;
    }
  /** `peer` runs the release command of this release, made for this slug. */
  | {
      readonly kind: 'release.attempt';
      readonly app: AppId;
      readonly release: OpId;
      readonly slug: BlobId;
      readonly peer: PeerId;
    }
  /** What came of the release command: the release may run, or never will. */
  | {
      readonly kind: 'release.settle';
      readonly app: AppId;
      readonly release: OpId;
      readonly slug: BlobId;
      readonly status: 'succeeded' | 'failed';
      /** What the command wrote. */
      readonly output: BlobId | null;
      /** Why it failed, as a sentence's end; null where the output says it all. */
      readonly reason: string | null;
    }
  | {
      readonly kind: 'formation.scale';
      readonly app: AppId;
      readonly type: ProcessType;
      readonly quantity: number;
      readonly size: string;
      readonly user: UserEmail;
    }
  /** Asks for fresh dynos: all of the app, one type, or one slot. */
  | {
      readonly kind: 'formation.restart';
      readonly app: AppId;
      readonly type: ProcessType | null;
      readonly index: number | null;
      readonly user: UserEmail;
    }
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
  | { readonly kind: 'volume.destroy'; readonly app: AppId; readonly volume: VolumeId }
  | { readonly kind: 'domain.add'; readonly app: AppId; readonly hostname: string; readonly domain: string }
  | { readonly kind: 'domain.remove'; readonly app: AppId; readonly hostname: string }
  /** `domain` is the domain's id; a null `cert`: whichever fits. */
  | {
      readonly kind: 'domain.update';
      readonly app: AppId;
      readonly domain: string;
      readonly cert: CertId | null;
    }
  /** A certificate with its chain (PEM, the app's own first) and its private key; written again with another one in its place. */
  | {
      readonly kind: 'cert.set';
      readonly app: AppId;
      readonly cert: CertId;
      readonly name: string;
      readonly displayName: string | null;
      readonly chain: string;
      readonly key: Sealed;
      readonly facts: CertFacts;
      /** Id of the domain that it was ordered for; absent: somebody added it. */
      readonly acm?: string;
    }
  | { readonly kind: 'cert.remove'; readonly app: AppId; readonly cert: CertId }
  /** Its lines go to `url` from now on, or to another one than before. */
  | {
      readonly kind: 'drain.add';
      readonly app: AppId;
      readonly drain: DrainId;
      /** `d.<uuid>`: what receivers know it by, for as long as it lives. */
      readonly token: string;
      /** May hold credentials. */
      readonly url: Sealed;
      /** The add-on that asked for it; null: a user did. */
      readonly addon: AddonId | null;
    }
  | { readonly kind: 'drain.remove'; readonly app: AppId; readonly drain: DrainId }
  | { readonly kind: 'buildpacks.set'; readonly app: AppId; readonly buildpacks: readonly string[] }
  /** Makes, renames or gives away a pipeline. */
  | {
      readonly kind: 'pipeline.set';
      readonly pipeline: PipelineId;
      readonly name: string;
      readonly owner: UserEmail;
    }
  | { readonly kind: 'pipeline.remove'; readonly pipeline: PipelineId }
  /** Config vars that apps of a stage start with. */
  | {
      readonly kind: 'pipeline.config';
      readonly pipeline: PipelineId;
      readonly stage: Stage;
      readonly config: Readonly<Record<string, Sealed | null>>;
    }
  | {
      readonly kind: 'pipeline.review';
      readonly pipeline: PipelineId;
      readonly review: ReviewSettings | null;
    }
  /** Where the app stands; an app is in one pipeline at most. */
  | { readonly kind: 'coupling.set'; readonly app: AppId; readonly coupling: CouplingPlace | null }
  /** Each target is to get a release of this slug, with its own config. Whoever is its home makes them. */
  | {
      readonly kind: 'promotion.create';
      readonly promotion: PromotionId;
      readonly pipeline: PipelineId;
      readonly source: AppId;
      readonly release: OpId;
      readonly slug: SlugRef;
      readonly description: string;
      readonly targets: readonly AppId[];
      readonly user: UserEmail;
    }
  /** The app is to be made ready from this archive and its app.json. */
  | {
      readonly kind: 'setup.create';
      readonly app: AppId;
      readonly setup: SetupId;
      /** UUID of the build that it makes. */
      readonly build: string;
      readonly source: BlobId;
      readonly version: string | null;
      readonly env: Readonly<Record<string, Sealed>>;
      /** In place of those of its app.json; null: those. */
      readonly buildpacks: readonly string[] | null;
      readonly review: ReviewOf | null;
      readonly user: UserEmail;
    }
  /** What came of it. One that failed is written together with the end of the app. */
  | {
      readonly kind: 'setup.settle';
      readonly app: AppId;
      readonly setup: SetupId;
      readonly status: 'succeeded' | 'failed';
      readonly reason: string | null;
      /** What is wrong with its app.json. */
      readonly manifestErrors: readonly string[];
      readonly postdeploy: { readonly exitCode: number | null; readonly output: string } | null;
    }
  /** A slug that a client made and sent. */
  | {
      readonly kind: 'slug.create';
      readonly app: AppId;
      readonly slug: SlugRef;
      readonly checksum: string;
      readonly user: UserEmail;
    }
  | {
      readonly kind: 'build.record';
      readonly app: AppId;
      readonly build: string;
      readonly status: 'succeeded' | 'failed';
      readonly commit: string | null;
      readonly buildpacks: readonly string[];
      readonly output: BlobId | null;
      readonly release: OpId | null;
      readonly user: UserEmail;
      readonly startedAt: number;
    };

export type OpKind = OpBody['kind'];

/**
 * What a command wants written: the author's log adds the rest. `stamp` names the client's request and what it asked for,
 * so that the request repeated is the same write at whichever peer; it stands beside the body's own fields.
 */
export type OpDraft = { readonly parents: readonly OpId[]; readonly body: OpBody; readonly stamp?: string };
