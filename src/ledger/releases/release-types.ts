import type { AppId, AttachmentId, BlobId, OpId, PeerId, ReleaseId } from '../../ids.ts';
import type { Attached } from '../addons/addon-types.ts';
import type { Sealed, UserEmail } from '../values.ts';
import type { Hlc } from '../hlc.ts';

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

/** What an app runs: slugs, releases of them with their config, and the builds that made them. */
export type ReleaseBody =
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
      /** An add-on came or went, so the release command runs; absent: it does not for causes of `addon`. */
      readonly runsCommand?: true;
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

export type ReleaseCommand =
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
