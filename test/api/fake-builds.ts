import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { PlatformError } from '../../src/errors.ts';
import type { AppId } from '../../src/ids.ts';
import type {
  BuildOutcome,
  BuildRequest,
  Builds,
  ClusterBuilds,
  PackedSlug,
} from '../../src/shell/builds.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { LedgerHost } from './ledger-host.ts';
import { SLUG } from './slug.ts';

/** A slug compiler for which any source is an app, unless it reads `fail`; it goes on when the test says so. */
export class FakeBuilds implements Builds, ClusterBuilds {
  readonly #host: LedgerHost;
  readonly #blobs: Pick<Blobs, 'write'>;
  readonly sources: string[] = [];
  readonly purged: AppId[] = [];
  readonly stopped: string[] = [];
  readonly #outputs = new Map<string, string>();
  readonly #started = new Set<string>();
  #go = Promise.withResolvers<void>();

  constructor(host: LedgerHost, blobs: Pick<Blobs, 'write'>) {
    this.#host = host;
    this.#blobs = blobs;
  }

  finish(): void {
    this.#go.resolve();
  }

  async run(request: BuildRequest, output: (text: string) => void): Promise<BuildOutcome> {
    this.#started.add(request.build);
    const source = await text(request.source);
    this.sources.push(source);
    if (source === 'fail') throw new PlatformError('disk_full', 'Cannot build: no space is left');
    output('-----> Building\n');
    this.#outputs.set(request.build, '-----> Building\n');
    await this.#go.promise;
    const context = { user: request.user, request: null };
    const description = `Deploy ${request.version ?? ''}`;
    const ops = this.#host.write(
      { type: 'release.deploy', app: request.app, slug: SLUG, description },
      context,
    );
    const releases = this.#host.view().apps.get(request.app)?.releases ?? new Map();
    const release = [...releases.values()].find(({ op }) => ops.includes(op));
    this.#host.write(
      {
        type: 'build.record',
        app: request.app,
        build: request.build,
        status: 'succeeded',
        commit: request.version,
        buildpacks: ['heroku/nodejs'],
        output: null,
        release: release.id,
        startedAt: Date.now(),
      },
      context,
    );
    return { status: 'succeeded', release: release.id };
  }

  pending(): readonly [] {
    return [];
  }

  output(build: string): Readable | null {
    const found = this.#outputs.get(build);
    return found === undefined ? null : Readable.from([found]);
  }

  async purgeCache(app: AppId): Promise<void> {
    this.purged.push(app);
  }

  stop(build: string): boolean {
    this.stopped.push(build);
    return this.#started.has(build);
  }

  async pack(source: Readable): Promise<PackedSlug> {
    const { id, bytes } = await this.#blobs.write(source);
    return { id, bytes, arch: 'any' };
  }

  async underWay(): Promise<readonly []> {
    return [];
  }

  async read(build: string): Promise<Readable | null> {
    return this.output(build);
  }

  async cancel(build: string): Promise<boolean> {
    return this.stop(build);
  }

  async purgeCaches(app: AppId): Promise<void> {
    await this.purgeCache(app);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
