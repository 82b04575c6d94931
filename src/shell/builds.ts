import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { App, Build } from '../ledger/view.ts';
import type { AppId, BlobId, ReleaseId } from '../ids.ts';
import type { UserEmail } from '../ledger/op.ts';

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
  /** Asked once more, just before the release: a text says why it may no longer happen (somebody else deployed). */
  readonly refuse?: () => string | null;
};

export type BuildOutcome =
  | { readonly status: 'succeeded'; readonly release: ReleaseId }
  /** The output has said why. */
  | { readonly status: 'failed'; readonly reason: string };

/** The slug compiler of this peer: one build at a time, others wait their turn and say so. */
export interface Builds extends AsyncDisposable {
  /** Builds, stores and replicates the slug, then releases it. Output goes to `output` as it is made. */
  run(request: BuildRequest, output: (text: string) => void): Promise<BuildOutcome>;
  /** Builds under way here. */
  pending(app: AppId): readonly (Omit<Build, 'status'> & { readonly status: 'pending' })[];
  /** Output of a build, from its start, live while it runs; null when this peer does not know it. */
  output(build: string): Readable | null;
  /** Forgets the app's build cache. */
  purgeCache(app: AppId): Promise<void>;
}

/** Smart HTTP for `/APP.git/*`: fetches what is missing of the app's history from peers, then speaks git. */
export interface GitServer {
  handle(request: IncomingMessage, response: ServerResponse, app: App, user: UserEmail): Promise<void>;
}
