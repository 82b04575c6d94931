import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { DEFAULT_SIZE, sizeOf } from '../../src/dyno-sizes.ts';
import { PlatformError } from '../../src/errors.ts';
import type { OneOffFact } from '../../src/facts.ts';
import type { AppId, BlobId, DynoId, OpId, PeerId, ProcessType, ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import { RELEASE_TYPE } from '../../src/ledger/releases/release-status.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { OneOff, OneOffRequest, PeerHost } from '../../src/shell/host.ts';
import type { DynoRuntimeEvent, FoundDyno } from '../../src/shell/runtime.ts';
import { OutputLog } from '../lib/output-log.ts';
import type { Tasks } from '../lib/tasks.ts';
import { EndedDynos, type Ending } from './ended-dynos.ts';

/** https://devcenter.heroku.com/articles/release-phase: a release command that takes longer has failed. */
export const RELEASE_MS_MAX = 3_600_000;
const START_ATTEMPTS = 3;
const RETRY_MS = 2_000;
const COPIES_ELSEWHERE = 2;
const REPLICATE_MS = 10_000;

/** The machine's word that this peer is to run a release's command. */
export type ReleaseOrder = { readonly app: AppId; readonly release: ReleaseId; readonly attempt: OpId };

export type ReleaseRunnerParts = {
  readonly host: () => Pick<PeerHost, 'view' | 'command'>;
  /** Starts a one-off here. */
  readonly start: (app: App, release: Release, request: OneOffRequest, size: string) => Promise<OneOff>;
  readonly stop: (dyno: DynoId) => void;
  readonly blobs: Blobs;
  readonly peersForReplication: () => readonly PeerId[];
  readonly tasks: Tasks;
  readonly log: Logger;
};

/** Runs release commands that fell to this peer, and writes into the ledger how they ended. */
export class ReleaseRunner {
  readonly #parts: ReleaseRunnerParts;
  readonly #dynos = new EndedDynos();
  /** Release commands that outlived the last agent. */
  readonly #adopted = new Map<ReleaseId, OneOffFact>();
  readonly #outputs = new Map<ReleaseId, OutputLog>();
  readonly #closing = new AbortController();

  constructor(parts: ReleaseRunnerParts) {
    this.#parts = parts;
  }

  adopt({ labels, dyno, exited }: FoundDyno): void {
    if (labels['kind'] !== 'one-off') return;
    const fact = JSON.parse(labels['fact'] ?? 'null') as OneOffFact | null;
    if (fact?.name.startsWith(`${RELEASE_TYPE}.`) !== true) return;
    this.#adopted.set(fact.release, fact);
    const output = this.#open(fact.release);
    output.write('(The agent was restarted: what came before is in the log of the app.)\n');
    this.#dynos.follow(dyno, output);
    if (exited !== null) this.#dynos.onRuntime({ tag: 'exited', dyno, ...exited });
  }

  onRuntime(event: DynoRuntimeEvent): void {
    this.#dynos.onRuntime(event);
  }

  run(order: ReleaseOrder): void {
    this.#parts.tasks.run('release command', async () => {
      // A loop that is just being made gives orders before anybody can ask it for its view.
      await Promise.resolve();
      await this.#run(order);
    });
  }

  /** What the command of this release writes here; null when it does not run here. */
  output(release: ReleaseId): Readable | null {
    return this.#outputs.get(release)?.read() ?? null;
  }

  /** From now on what ends has been ended by the agent, and says nothing of the release. */
  close(): void {
    this.#closing.abort();
  }

  async #run({ app: appId, release: releaseId }: ReleaseOrder): Promise<void> {
    const app = this.#parts.host().view().apps.get(appId);
    const release = app?.releases.get(releaseId);
    const slug = release?.slug?.id;
    if (app === undefined || release === undefined || slug === undefined) return;
    const output = this.#open(releaseId);
    const { status, reason } = await this.#outcome(app, release, output);
    output.end();
    if (!this.#closing.signal.aborted) await this.#settle(appId, releaseId, { slug, status, reason, output });
    this.#adopted.delete(releaseId);
    this.#outputs.delete(releaseId);
  }

  async #outcome(
    app: App,
    release: Release,
    output: OutputLog,
  ): Promise<{ status: 'succeeded' | 'failed'; reason: string | null }> {
    try {
      const { dyno, since } = this.#adopted.get(release.id) ?? (await this.#start(app, release, output));
      const leftMs = Math.max(0, since + RELEASE_MS_MAX - Date.now());
      let isLate = false;
      const limit = setTimeout(() => {
        isLate = true;
        this.#parts.stop(dyno);
      }, leftMs);
      const { signal } = this.#closing;
      const ending = await this.#dynos.ended(dyno, signal).finally(() => clearTimeout(limit));
      if (isLate) return { status: 'failed', reason: 'it took longer than an hour' };
      return ending.status === 0
        ? { status: 'succeeded', reason: null }
        : { status: 'failed', reason: reasonOf(ending) };
    } catch (error) {
      const text = error instanceof PlatformError ? error.message : 'the log of the peer says why';
      if (!(error instanceof PlatformError) && !this.#closing.signal.aborted)
        this.#parts.log.error({ app: app.id, err: error }, 'release command not run');
      return { status: 'failed', reason: `it could not be started: ${text}` };
    }
  }

  async #start(app: App, release: Release, output: OutputLog): Promise<{ dyno: DynoId; since: number }> {
    const size = sizeOf(app.formation.get(RELEASE_TYPE as ProcessType)?.size ?? DEFAULT_SIZE.name).name;
    const request: OneOffRequest = {
      app: app.id,
      command: RELEASE_TYPE,
      env: {},
      size,
      attach: null,
      type: RELEASE_TYPE,
      ttlMs: RELEASE_MS_MAX,
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const started = this.#dynos.followNext(output, () => this.#parts.start(app, release, request, size));
        return { dyno: (await started).dyno, since: Date.now() };
      } catch (error) {
        if (attempt >= START_ATTEMPTS || this.#closing.signal.aborted) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** Tells the ledger, for as long as the release waits for it: whoever asks next would run it once more. */
  async #settle(
    app: AppId,
    release: ReleaseId,
    ended: { slug: BlobId; status: 'succeeded' | 'failed'; reason: string | null; output: OutputLog },
  ): Promise<void> {
    const { host, log } = this.#parts;
    const { slug, status, reason } = ended;
    const output = await this.#keep(ended.output);
    while (!this.#closing.signal.aborted) {
      if (host().view().apps.get(app)?.releases.get(release)?.status !== 'pending') return;
      try {
        await host().command(
          { type: 'release.settle', app, release, slug, status, output, reason },
          { user: 'kith', request: null },
        );
        return;
      } catch (err) {
        log.warn({ app, err }, 'end of release command not written');
        await sleep(RETRY_MS);
      }
    }
  }

  async #keep(output: OutputLog): Promise<BlobId | null> {
    const { blobs, peersForReplication, log } = this.#parts;
    try {
      const { id } = await blobs.write(Readable.from([output.bytes()]));
      const within = AbortSignal.timeout(REPLICATE_MS);
      await blobs.replicate(id, peersForReplication(), COPIES_ELSEWHERE, within);
      return id;
    } catch (err) {
      // The release does not wait for its output: that is in the app's log as well.
      log.warn({ err }, 'release output not kept');
      return null;
    }
  }

  #open(release: ReleaseId): OutputLog {
    const output = this.#outputs.get(release) ?? new OutputLog();
    this.#outputs.set(release, output);
    return output;
  }
}

function reasonOf({ status, signal, outOfMemory }: Ending): string {
  if (outOfMemory) return 'it used more memory than its dyno may have';
  return signal === null ? `it exited with status ${status ?? 128}` : `it was ended by ${signal}`;
}
