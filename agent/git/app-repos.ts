import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, BlobId, PeerId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import { AppLocks } from './app-lock.ts';
import { ensureRepo, refreshRepo } from './app-repo.ts';
import { writeHooks } from './push-hook.ts';

const BUNDLE_FETCH_MS = 2 * 60_000;

export type AppReposOptions = {
  /** DIR, the peer's data directory: repositories live in DIR/git. */
  readonly dir: string;
  readonly blobs: Blobs;
  /** Peers that may hold this blob, the likeliest first. */
  readonly gitHolders: (blob: BlobId) => readonly PeerId[];
};

/** The bare repositories of this peer, one per app, and whose turn it is in each. */
export class AppRepos {
  readonly locks = new AppLocks();
  /** Hooks that all of them have in common. */
  readonly hooks: string;
  readonly #root: string;
  readonly #options: AppReposOptions;
  /** Those known to exist, or being made. */
  readonly #made = new Map<AppId, Promise<void>>();

  private constructor(options: AppReposOptions, root: string) {
    this.#options = options;
    this.#root = root;
    this.hooks = join(root, 'hooks');
  }

  static async open(options: AppReposOptions): Promise<AppRepos> {
    const root = join(options.dir, 'git');
    await mkdir(root, { recursive: true, mode: 0o700 });
    const repos = new AppRepos(options, root);
    await writeHooks(repos.hooks);
    return repos;
  }

  /** @returns the folder of the app's repository, which is there from now on */
  async ensure({ id }: App): Promise<string> {
    const repo = this.#path(id);
    const made = this.#made.get(id) ?? ensureRepo(repo);
    this.#made.set(id, made);
    try {
      await made;
    } catch (error) {
      this.#made.delete(id);
      throw error;
    }
    return repo;
  }

  /**
   * Brings it to where the latest push at any peer left it; for who has the turn. Refuses where that history cannot be
   * had: on an older one a push could undo what another peer released.
   */
  async refresh(app: App): Promise<void> {
    const { blobs, gitHolders } = this.#options;
    const fetch = (bundle: BlobId): Promise<void> =>
      blobs.fetch(bundle, gitHolders(bundle), AbortSignal.timeout(BUNDLE_FETCH_MS));
    try {
      await refreshRepo(this.#path(app.id), app, blobs, fetch);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new PlatformError(
        'unavailable',
        `Cannot bring the history of "${app.name}" up to date: ${reason}`,
        { cause, hint: 'Try again when a peer that holds it is back' },
      );
    }
  }

  #path(app: AppId): string {
    return join(this.#root, `${app}.git`);
  }
}
