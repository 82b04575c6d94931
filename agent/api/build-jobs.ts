import type { ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { AnyBuild } from '../../src/platform/build.ts';
import type { Builds, BuildRequest } from '../../src/shell/builds.ts';
import type { Releases } from '../../src/shell/releases.ts';
import { toPlatformError } from './respond.ts';

const JOBS_MAX = 200;

type Job = { readonly app: string; readonly build: AnyBuild; readonly reason: string | null };

/** Builds that this server started: known from the first moment, and when one fails before the ledger has heard of it. */
export class BuildJobs {
  readonly #builds: Builds;
  readonly #releases: Pick<Releases, 'finish'>;
  readonly #closing: AbortSignal;
  readonly #jobs = new Map<string, Job>();

  constructor(builds: Builds, releases: Pick<Releases, 'finish'>, closing: AbortSignal) {
    this.#builds = builds;
    this.#releases = releases;
    this.#closing = closing;
  }

  /** Resolves when the build is over; its outcome is in the ledger, or here where it could not even be recorded. */
  async run(request: BuildRequest): Promise<void> {
    const build: AnyBuild = {
      build: request.build,
      status: 'pending',
      commit: request.version,
      buildpacks: [],
      output: null,
      release: null,
      user: request.user,
      createdAt: Date.now(),
      updatedAt: Date.now(),
    };
    this.#set({ app: request.app, build, reason: null });
    let released: ReleaseId | null = null;
    try {
      // Whoever wants the output reads it from `builds.output`.
      const outcome = await this.#builds.run(request, () => {});
      const updatedAt = Date.now();
      if (outcome.status === 'succeeded') {
        released = outcome.release;
        this.#set({
          app: request.app,
          build: { ...build, status: 'succeeded', release: outcome.release, updatedAt },
          reason: null,
        });
      } else {
        this.#set({
          app: request.app,
          build: { ...build, status: 'failed', updatedAt },
          reason: outcome.reason,
        });
      }
    } catch (error) {
      const { message } = toPlatformError(error);
      this.#set({
        app: request.app,
        build: { ...build, status: 'failed', updatedAt: Date.now() },
        reason: message,
      });
      throw error;
    }
    if (released !== null) {
      await this.#releases.finish(request.app, released, request.user, null, this.#closing);
    }
  }

  /** Builds of the app by time: those of the ledger, those under way here, those that only this server knows. */
  of(app: App): readonly AnyBuild[] {
    const found = new Map<string, AnyBuild>();
    for (const job of this.#jobs.values()) if (job.app === app.id) found.set(job.build.build, job.build);
    for (const build of this.#builds.pending(app.id)) found.set(build.build, build);
    for (const build of app.builds.values()) found.set(build.build, build);
    return [...found.values()].sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Why a build that was started here failed. */
  reason(build: string): string | null {
    return this.#jobs.get(build)?.reason ?? null;
  }

  #set(job: Job): void {
    this.#jobs.set(job.build.build, job);
    const [oldest] = this.#jobs.keys();
    if (this.#jobs.size > JOBS_MAX && oldest !== undefined) this.#jobs.delete(oldest);
  }
}
