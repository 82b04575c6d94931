import type { AcmeChallenge, AcmeSettings, AcmFailure } from './acm-types.ts';
import type { Addon, Attached, Attachment, Provider } from './addon-types.ts';
import type { Permission, Role, Scope } from '../rights.ts';
import type {
  AttachmentId,
  AddonId,
  AppId,
  AppName,
  BackupId,
  BlobId,
  CertId,
  ClusterId,
  DrainId,
  OpId,
  PeerId,
  PipelineId,
  ProcessType,
  PromotionId,
  ReleaseId,
  SetupId,
  VolumeId,
} from '../ids.ts';
import type {
  CertFacts,
  Hlc,
  KeptBackup,
  Sealed,
  SlugRef,
  UserEmail,
  VolumeHold,
  VolumePlace,
} from './op.ts';
import type { CouplingPlace, ReviewOf, ReviewSettings } from './pipeline-types.ts';

/**
 * What the set of ops means: the same on every peer that holds the same ops, whatever the order they came in.
 * Immutable to readers; `applyOps` makes the next one.
 */
export type View = {
  readonly cluster: ClusterId | null;
  readonly clusterName: string;
  readonly ca: { readonly cert: string; readonly key: Sealed } | null;
  readonly members: ReadonlyMap<PeerId, Member>;
  readonly invites: ReadonlyMap<string, Invite>;
  readonly tokens: ReadonlyMap<string, Token>;
  /** Who has a role, by their name in lower case. */
  readonly users: ReadonlyMap<UserEmail, User>;
  /** Data key that new config values are sealed with. */
  readonly dataKey: string | null;
  /** Live apps and destroyed ones (whose `destroyedBy` is set): tombstones keep late ops from reviving them. */
  readonly apps: ReadonlyMap<AppId, App>;
  /** Live apps by the name they are shown under. */
  readonly names: ReadonlyMap<string, AppId>;
  /** Live custom domains, lower case. */
  readonly domains: ReadonlyMap<string, AppId>;
  readonly pipelines: ReadonlyMap<PipelineId, Pipeline>;
  /** All that were ever asked for. */
  readonly promotions: ReadonlyMap<PromotionId, Promotion>;
  /** Who makes add-ons, by id: those that were registered, and built-in ones that have settings. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** Where certificates are ordered; null before an admin has said so. */
  readonly acme: Acme | null;
  /** The stack image of each architecture. */
  readonly stacks: ReadonlyMap<string, Stack>;
  /** Requests that made a write (`requestMark`), and one op of each. */
  readonly requests: ReadonlyMap<string, OpId>;
  /** Ops that apply only once their parents have come. */
  readonly waiting: number;
  /** Ops that threw when applied: stored, forwarded, skipped, shown by `doctor`. */
  readonly quarantined: ReadonlyMap<OpId, string>;
};

export type Member = {
  readonly peer: PeerId;
  readonly name: string;
  readonly state: 'member' | 'removed';
  /** The ops that a later write about this member replaces. */
  readonly heads: readonly OpId[];
  readonly since: Hlc;
};

export type Invite = {
  readonly invite: string;
  readonly secretHash: string;
  readonly expiresAt: number;
  readonly usedBy: PeerId | null;
};

export type Token = {
  readonly token: string;
  readonly hash: string;
  readonly user: UserEmail;
  readonly description: string;
  readonly scopes: readonly Scope[];
  /** Wall ms; null: it lasts until it is revoked. */
  readonly expiresAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly revoked: boolean;
};

export type User = {
  readonly user: UserEmail;
  readonly role: Role;
  readonly since: number;
};

/** The root file system that dynos and builds of an architecture run on, where an Engine runs them. */
export type Stack = {
  readonly name: string;
  readonly arch: string;
  /** A `.tar.zst`. */
  readonly blob: BlobId;
  readonly bytes: number;
  readonly setAt: number;
};

export type App = {
  readonly id: AppId;
  /** What was asked for; two apps created under one name on two sides of a split both keep it… */
  readonly wantedName: AppName;
  /** …and the later is shown as `name-xxxx`. Unique among live apps. */
  readonly name: AppName;
  readonly owner: UserEmail;
  /** What others may do with it beside what their roles allow, by user in lower case. */
  readonly collaborators: ReadonlyMap<UserEmail, Collaborator>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly maintenance: boolean;
  /** Names of what is switched on for it. */
  readonly features: ReadonlySet<string>;
  readonly destroyed: boolean;
  readonly releases: ReadonlyMap<ReleaseId, Release>;
  /** Releases without children, sorted by id. More than one only until the home peer has written the merge. */
  readonly heads: readonly ReleaseId[];
  /**
   * What dynos run: the newest succeeded release, the latest by (hlc, id) where a split made several. Null only before
   * the first release came.
   */
  readonly current: ReleaseId | null;
  /** What is set now, whether or not a release that runs has it yet: what the next release starts from. */
  readonly config: ReadonlyMap<string, ConfigWrite>;
  readonly formation: ReadonlyMap<ProcessType, FormationEntry>;
  /** Latest restart request by scope: `''` for the app, `web` for a type, `web.1` for a slot. */
  readonly restarts: ReadonlyMap<string, OpId>;
  readonly buildpacks: readonly string[];
  readonly domains: ReadonlyMap<string, Domain>;
  readonly certs: ReadonlyMap<CertId, Cert>;
  /** Whether certificates are ordered for its domains, and how that goes. */
  readonly acm: Acm;
  readonly builds: ReadonlyMap<string, Build>;
  readonly volumes: ReadonlyMap<VolumeId, Volume>;
  readonly destroyedVolumes: ReadonlySet<VolumeId>;
  readonly backups: ReadonlyMap<BackupId, Backup>;
  /** Where it stands in a pipeline, which may be gone. */
  readonly coupling: Coupling | null;
  /** How it is made ready, where that is from an archive and its app.json. */
  readonly setup: Setup | null;
  /** Slugs that clients sent, by their ids. */
  readonly uploads: ReadonlyMap<string, SlugUpload>;
  readonly drains: ReadonlyMap<DrainId, Drain>;
  /** Those that it owns, and those that it owned and that are gone. */
  readonly addons: ReadonlyMap<AddonId, Addon>;
  /** Add-ons of its own and of others that its dynos have. */
  readonly attachments: ReadonlyMap<AttachmentId, Attachment>;
};

export type Collaborator = {
  readonly user: UserEmail;
  readonly permissions: readonly Permission[];
  readonly updatedAt: number;
};

export type FormationEntry = {
  readonly type: ProcessType;
  readonly quantity: number;
  readonly size: string;
  readonly updatedAt: number;
};

export type Release = {
  readonly id: ReleaseId;
  /** The op (the least id, where two peers wrote the same release). */
  readonly op: OpId;
  /** One more than the highest of its parents; never changes. */
  readonly number: number;
  /** `v5`, or `v5.k3f9` where two releases bear the number. */
  readonly label: string;
  readonly parents: readonly ReleaseId[];
  readonly cause: 'create' | 'config' | 'deploy' | 'promote' | 'addon' | 'rollback' | 'merge';
  readonly description: string;
  readonly user: UserEmail;
  readonly createdAt: number;
  readonly hlc: Hlc;
  readonly slug: SlugRef | null;
  /** The full snapshot that dynos of this release get. */
  readonly config: ReadonlyMap<string, ConfigWrite>;
  /** Which add-ons it has. */
  readonly attachments: ReadonlyMap<AttachmentId, Attached>;
  readonly request: string | null;
  /** `pending` until its release command, and those of all releases before it, have ended. */
  readonly status: 'pending' | 'succeeded' | 'failed';
  /** Who was to run its release command, the latest last. */
  readonly attempts: readonly ReleaseAttempt[];
  /** How its release command ended; null before that, and where its slug declares none. */
  readonly settled: ReleaseSettlement | null;
};

export type ReleaseAttempt = { readonly id: OpId; readonly hlc: Hlc; readonly peer: PeerId };

export type ReleaseSettlement = {
  readonly id: OpId;
  readonly hlc: Hlc;
  readonly status: 'succeeded' | 'failed';
  readonly output: BlobId | null;
  readonly reason: string | null;
};

/** The write that gave a key its value in a snapshot; a null value is an unset that must win over concurrent older writes. */
export type ConfigWrite = { readonly value: Sealed | null; readonly by: ReleaseId };

export type Domain = {
  readonly hostname: string;
  readonly domain: string;
  readonly createdAt: number;
  /** What it is to be served with before all others; null: whichever of the app's certificates fits. */
  readonly cert: CertId | null;
};

/** A certificate that an app is served with, with its sealed private key. Heroku calls it an SNI endpoint. */
export type Cert = {
  readonly id: CertId;
  /** `otter-48213` */
  readonly name: string;
  readonly displayName: string | null;
  /** PEM, the app's own first. */
  readonly chain: string;
  readonly key: Sealed;
  readonly facts: CertFacts;
  /** Id of the domain that it was ordered for; null: somebody added it. */
  readonly acm: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** `by` is the op. */
export type Acme = AcmeSettings & { readonly by: OpId; readonly setAt: number };

export type Acm = {
  readonly on: boolean;
  /** The op that asked for it, or asked again, last. */
  readonly ask: OpId | null;
  /** By the domain's id; one of which there is nothing to say is not here. */
  readonly domains: ReadonlyMap<string, AcmDomain>;
};

export type AcmDomain = {
  readonly challenges: readonly AcmeChallenge[];
  /** Of the last order; null after one that was filled. `at`: wall ms. */
  readonly failure: (AcmFailure & { readonly at: number }) | null;
};

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

/** Where an app's log lines are sent. */
export type Drain = {
  readonly id: DrainId;
  readonly token: string;
  readonly url: Sealed;
  /** The add-on that it belongs to, and goes with. */
  readonly addon: AddonId | null;
  readonly createdAt: number;
  readonly updatedAt: number;
};

export type Pipeline = {
  readonly id: PipelineId;
  /** Unique. */
  readonly name: string;
  readonly owner: UserEmail;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Config vars that apps of a stage start with, by `STAGE KEY`. */
  readonly config: ReadonlyMap<string, Sealed>;
  /** Null where review apps are off. */
  readonly review: ReviewSettings | null;
};

export type Coupling = CouplingPlace & { readonly updatedAt: number };

/** Each target is to get this slug. What became of that is told by the target's releases. */
export type Promotion = {
  readonly promotion: PromotionId;
  /** The op. */
  readonly op: OpId;
  readonly pipeline: PipelineId;
  readonly source: AppId;
  /** The op of the release that was promoted. */
  readonly release: OpId;
  readonly slug: SlugRef;
  readonly description: string;
  readonly targets: readonly AppId[];
  readonly user: UserEmail;
  readonly createdAt: number;
};

export type Setup = {
  readonly setup: SetupId;
  readonly build: string;
  readonly source: BlobId;
  readonly version: string | null;
  readonly env: Readonly<Record<string, Sealed>>;
  readonly buildpacks: readonly string[] | null;
  readonly review: ReviewOf | null;
  readonly user: UserEmail;
  readonly createdAt: number;
  /** Null while it is under way. */
  readonly settled: null | {
    readonly status: 'succeeded' | 'failed';
    readonly reason: string | null;
    readonly manifestErrors: readonly string[];
    readonly postdeploy: { readonly exitCode: number | null; readonly output: string } | null;
    readonly at: number;
  };
};

export type SlugUpload = {
  /** The op. */
  readonly id: OpId;
  readonly slug: SlugRef;
  readonly checksum: string;
  readonly user: UserEmail;
  readonly hlc: Hlc;
};

export type Build = {
  readonly build: string;
  readonly status: 'succeeded' | 'failed';
  readonly commit: string | null;
  readonly buildpacks: readonly string[];
  readonly output: BlobId | null;
  readonly release: ReleaseId | null;
  readonly user: UserEmail;
  readonly createdAt: number;
  readonly updatedAt: number;
};
