import type { AppId, AppName, BlobId, ClusterId, OpId, PeerId, ProcessType, ReleaseId } from '../ids.ts';
import type { Hlc, Sealed, SlugRef, UserEmail } from './op.ts';

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
  /** Data key that new config values are sealed with. */
  readonly dataKey: string | null;
  /** Live apps and destroyed ones (whose `destroyedBy` is set): tombstones keep late ops from reviving them. */
  readonly apps: ReadonlyMap<AppId, App>;
  /** Live apps by the name they are shown under. */
  readonly names: ReadonlyMap<string, AppId>;
  /** Live custom domains, lower case. */
  readonly domains: ReadonlyMap<string, AppId>;
  /** Request-Id to the op it made. */
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
  readonly createdAt: number;
  readonly revoked: boolean;
};

export type App = {
  readonly id: AppId;
  /** What was asked for; two apps created under one name on two sides of a split both keep it… */
  readonly wantedName: AppName;
  /** …and the later is shown as `name-xxxx`. Unique among live apps. */
  readonly name: AppName;
  readonly owner: UserEmail;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly maintenance: boolean;
  readonly destroyed: boolean;
  readonly releases: ReadonlyMap<ReleaseId, Release>;
  /** Releases without children, sorted by id. More than one only until the home peer has written the merge. */
  readonly heads: readonly ReleaseId[];
  /** The head that dynos run: the only one, or the latest by (hlc, id). Null only before the first release came. */
  readonly current: ReleaseId | null;
  readonly formation: ReadonlyMap<ProcessType, FormationEntry>;
  /** Latest restart request by scope: `''` for the app, `web` for a type, `web.1` for a slot. */
  readonly restarts: ReadonlyMap<string, OpId>;
  readonly buildpacks: readonly string[];
  readonly domains: ReadonlyMap<string, Domain>;
  readonly builds: ReadonlyMap<string, Build>;
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
  readonly cause: 'create' | 'config' | 'deploy' | 'rollback' | 'merge';
  readonly description: string;
  readonly user: UserEmail;
  readonly createdAt: number;
  readonly hlc: Hlc;
  readonly slug: SlugRef | null;
  /** The full snapshot that dynos of this release get. */
  readonly config: ReadonlyMap<string, ConfigWrite>;
  readonly request: string | null;
};

/** The write that gave a key its value in a snapshot; a null value is an unset that must win over concurrent older writes. */
export type ConfigWrite = { readonly value: Sealed | null; readonly by: ReleaseId };

export type Domain = { readonly hostname: string; readonly domain: string; readonly createdAt: number };

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
