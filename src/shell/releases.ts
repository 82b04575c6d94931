import type { AppId, ReleaseId } from '../ids.ts';
import type { UserEmail } from '../ledger/values.ts';

export type Finished = {
  /** Whether the release may run. */
  readonly isReleased: boolean;
  /** How the postdeploy script ended; null where there is none, or where nobody watched it. A null status: not known. */
  readonly postdeploy: { readonly status: number | null } | null;
};

/** Release phases as API, git and builds see them, whichever peer runs the command. */
export interface Releases {
  /**
   * What the release command writes, from its start, live while it runs; ends when the release is settled. Throws
   * `unavailable` when no peer that is reachable has it.
   */
  output(app: AppId, release: ReleaseId, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * What follows a deploy: its release command, and at the app's first deploy the postdeploy script of its app.json.
   * Resolves when both have ended, or `signal` aborts, which ends neither.
   * @returns how they ended; `isReleased` is false when the signal came first
   * @param print lines for whoever deployed; null where nobody looks: then only the app's log has them
   */
  finish(
    app: AppId,
    release: ReleaseId,
    user: UserEmail,
    print: ((line: string) => void) | null,
    signal: AbortSignal,
  ): Promise<Finished>;
}
