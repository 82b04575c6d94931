import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { App } from '../ledger/apps/app-types.ts';
import type { UserEmail } from '../ledger/values.ts';
import type { AppId, BlobId, ReleaseId } from '../ids.ts';
import type { Build } from '../ledger/releases/release-types.ts';

export type BuildRequest = {
  readonly app: AppId;
  /** UUID of the build resource. */
  readonly build: string;
  readonly user: UserEmail;
  readonly request: string | null;
  /** A directory tree as a .tar or .tar.gz stream. */
  readonly source: Readable;
  /** Commit or version name; the first 8 characters make `Deploy 0b0e75c1`. */
  readonly version: string | null;
  /** Git bundle of what was pushed, already in the blob store. */
  readonly bundle: BlobId | null;
  /** In place of those that the app has set, for this build alone. */
  readonly buildpacks?: readonly string[];
  /** Whose part of app.json counts besides what it says for all: `review`. */
  readonly environment?: string;
  /** Asked once more, just before the release: a text says why it may no longer happen (somebody else deployed). */
  readonly refuse?: () => string | null;
};

export type BuildOutcome =
  | { readonly status: 'succeeded'; readonly release: ReleaseId }
  /** The output has said why. */
  | { readonly status: 'failed'; readonly reason: string };

export type PendingBuild = Omit<Build, 'status'> & { readonly status: 'pending' };

/** A slug that is in the blob store here. */
export type PackedSlug = { readonly id: BlobId; readonly bytes: number; readonly arch: string };

/** The slug compiler of this peer: one build at a time, others wait their turn and say so. */
export interface Builds extends AsyncDisposable {
  /** Builds, stores and replicates the slug, then releases it. Output goes to `output` as it is made. */
  run(request: BuildRequest, output: (text: string) => void): Promise<BuildOutcome>;
  /** Builds under way here. */
  pending(app: AppId): readonly PendingBuild[];
  /** Breaks a build off that is under way here, or waits for its turn; false: there is none such. */
  stop(build: string, user: UserEmail): boolean;
  /** Output of a build, from its start, live while it runs; null when this peer does not know it. */
  output(build: string): Readable | null;
  /**
   * Makes a slug of an archive of an app that was built elsewhere.
   * @param source a `.tar.gz` or `.tar`
   */
  pack(source: Readable, signal: AbortSignal): Promise<PackedSlug>;
  /** Forgets the app's build cache. */
  purgeCache(app: AppId): Promise<void>;
}

/** The builds of all peers, asked at any of them. Peers that do not answer in time are left out. */
export interface ClusterBuilds {
  underWay(app: AppId): Promise<readonly PendingBuild[]>;
  /** Output of a build, from its start, live while it runs; null: no peer that answers knows it. */
  read(build: string, signal: AbortSignal): Promise<Readable | null>;
  /** Breaks a build off, wherever it runs; false: there is none such. */
  cancel(build: string, user: UserEmail): Promise<boolean>;
  /** Forgets the app's build caches. */
  purgeCaches(app: AppId): Promise<void>;
}

/** Who was let in to an app's repository. */
export type GitAsker = {
  readonly app: App;
  readonly user: UserEmail;
  /** Aborts, with a PlatformError that says why, when they would not be let in any more. */
  readonly ended: AbortSignal;
};

/** Smart HTTP for `/APP.git/*`: fetches what is missing of the app's history from peers, then speaks git. */
export interface GitServer {
  /** Once the asker's right has ended only what they pushed before goes on. */
  handle(request: IncomingMessage, response: ServerResponse, asker: GitAsker): Promise<void>;
}
