import type { Logger } from 'pino';
import { sizeOf } from '../../src/dyno-sizes.ts';
import { PlatformError } from '../../src/errors.ts';
import type { DynoEffect, DynoEvent, DynoLife } from '../../src/dynos/types.ts';
import { withInternalHost } from '../../src/internal-host.ts';
import type { AppId, BlobId, DynoId, PeerId, VolumeId } from '../../src/ids.ts';
import type { WantedSlot } from '../../src/placement/types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { RouterHandle } from '../../src/shell/router.ts';
import type { DynoRuntimeEvent, DynoSpec, Runtime, RuntimeEvent } from '../../src/shell/runtime.ts';
import { fetchSlug, slugFiles, type SlugBlobs } from '../lib/slug-files.ts';
import type { Tasks } from '../lib/tasks.ts';
import { labelsOf } from './dyno-labels.ts';
import type { OutputPositions } from './output-positions.ts';

/** A peer that takes a slug from another gives up after so long; the dyno's own deadline is the machine's. */
const FETCH_MS = 120_000;
/** Other routers may send a last request before they hear that a dyno is leaving. */
const ROUTES_SPREAD_MS = 250;
const DRAIN_MS = 30_000;

export type DynoManagerParts = {
  readonly runtime: Runtime;
  readonly blobs: Blobs;
  readonly logs: Logs;
  readonly router: RouterHandle;
  readonly positions: OutputPositions;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly report: (dyno: DynoId, event: DynoEvent) => void;
  /** Config vars and platform vars of a dyno; throws PlatformError when a data key has not arrived. */
  readonly environment: (life: DynoLife) => Record<string, string>;
  /** Output of dynos that are not this manager's goes on to the one-offs. */
  readonly onForeign: (event: DynoRuntimeEvent) => void;
  /** Live peers that hold a blob. */
  readonly holders: (blob: BlobId) => readonly PeerId[];
  /** The folder of a volume's copy. */
  readonly volumePath: (volume: VolumeId, copy: string) => string;
  /** Whether dynos can be started here has changed. */
  readonly onAvailable: (on: boolean, reason: string) => void;
};

/** Performs what the machine decides about formation dynos, and tells it what became of them. */
export class DynoManager {
  readonly #parts: DynoManagerParts;
  readonly #names = new Map<DynoId, { readonly app: AppId; readonly name: string }>();
  readonly #fetching = new Map<DynoId, AbortController>();
  readonly #warming = new Set<BlobId>();
  /** Volumes of dynos that were started, until the runtime has removed them. */
  readonly #mounted = new Map<DynoId, ReadonlySet<VolumeId>>();
  /** Dynos that are over, and that the runtime has not confirmed to have removed. */
  readonly #leftovers = new Set<DynoId>();

  constructor(parts: DynoManagerParts) {
    this.#parts = parts;
    parts.runtime.onEvent((event) => this.#onRuntime(event));
  }

  /** Whose output a dyno's lines are: known from its start, or given again when it is adopted. */
  know(dyno: DynoId, app: AppId, name: string): void {
    this.#names.set(dyno, { app, name });
  }

  /** Whether a dyno that was started here, and may not be over, has this volume. */
  isMounted(volume: VolumeId): boolean {
    return [...this.#mounted.values()].some((volumes) => volumes.has(volume));
  }

  perform(life: DynoLife, effect: DynoEffect): void {
    const { tasks } = this.#parts;
    this.know(life.dyno, life.slot.app, nameOf(life));
    // One that was adopted is first heard of here when it is told to end.
    if (effect.tag === 'start' || effect.tag === 'signal') {
      this.#mounted.set(life.dyno, new Set(life.slot.volumes.map(({ volume }) => volume)));
    }
    switch (effect.tag) {
      case 'fetchSlug':
        tasks.run('fetch slug', () => this.#fetch(life));
        break;
      case 'start':
        tasks.run('start dyno', () => this.#start(life));
        break;
      case 'drain':
        tasks.run('drain dyno', () => this.#drain(life));
        break;
      case 'signal':
        this.#fetching.get(life.dyno)?.abort();
        tasks.run('signal dyno', () => this.#parts.runtime.signal(life.dyno, effect.signal));
        break;
      case 'log':
        this.#say(life, effect.text);
        break;
    }
  }

  remove(dyno: DynoId): void {
    this.#fetching.get(dyno)?.abort();
    this.#parts.tasks.run('remove dyno', async () => {
      // Until it is gone from the runtime: one that is away is asked again when it is back.
      this.#leftovers.add(dyno);
      await this.#parts.runtime.remove(dyno);
      this.#leftovers.delete(dyno);
      this.#names.delete(dyno);
      this.#mounted.delete(dyno);
      this.#parts.positions.forget(dyno);
    });
  }

  /** Has a slug on disk and unpacked ahead of need. */
  warm(slot: WantedSlot): void {
    const slug = slugOf(slot);
    if (this.#warming.has(slug.id)) return;
    this.#warming.add(slug.id);
    this.#parts.tasks.run('warm slug', async () => {
      try {
        const { blobs, runtime, holders } = this.#parts;
        await runtime.prepare(await fetchSlug(blobs, slug, holders, AbortSignal.timeout(FETCH_MS)));
      } catch (err) {
        this.#parts.log.info({ slug: slug.id, err }, 'slug not warmed');
      } finally {
        this.#warming.delete(slug.id);
      }
    });
  }

  async #fetch(life: DynoLife): Promise<void> {
    const { blobs, runtime, holders, report, log } = this.#parts;
    const abort = new AbortController();
    this.#fetching.set(life.dyno, abort);
    try {
      const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(FETCH_MS)]);
      await runtime.prepare(await fetchSlug(blobs, slugOf(life.slot), holders, signal));
      report(life.dyno, { tag: 'slug', ok: true });
    } catch (err) {
      if (abort.signal.aborted) return;
      log.warn({ dyno: nameOf(life), app: life.slot.app, slug: life.slot.slug, err }, 'slug not fetched');
      report(life.dyno, { tag: 'slug', ok: false, reason: reasonOf(err) });
    } finally {
      this.#fetching.delete(life.dyno);
    }
  }

  async #start(life: DynoLife): Promise<void> {
    const { runtime, report, log } = this.#parts;
    try {
      await runtime.start(this.#specOf(life));
    } catch (err) {
      log.warn({ dyno: nameOf(life), app: life.slot.app, err }, 'dyno not started');
      report(life.dyno, { tag: 'failed', reason: reasonOf(err) });
    }
  }

  #specOf(life: DynoLife): DynoSpec {
    const { slot } = life;
    return {
      dyno: life.dyno,
      app: slot.app,
      name: nameOf(life),
      command: slot.command,
      slug: slugFiles(this.#parts.blobs, slugOf(life.slot)),
      env: withInternalHost(this.#parts.environment(life), this.#parts.runtime.internalHost),
      web: slot.listens,
      size: sizeOf(slot.size),
      volumes: slot.volumes.map(({ volume, copy, path }) => ({
        source: this.#parts.volumePath(volume, copy),
        path,
      })),
      attach: null,
      labels: labelsOf(life),
    };
  }

  async #drain(life: DynoLife): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ROUTES_SPREAD_MS));
    try {
      await this.#parts.router.drained(life.dyno, AbortSignal.timeout(DRAIN_MS));
    } catch (err) {
      this.#parts.log.warn({ dyno: nameOf(life), app: life.slot.app, err }, 'dyno drained late');
    }
    this.#parts.report(life.dyno, { tag: 'drained' });
  }

  #onRuntime(event: RuntimeEvent): void {
    if (event.tag === 'available') {
      this.#parts.onAvailable(event.on, event.reason);
      if (event.on) for (const dyno of this.#leftovers) this.#endLeftover(dyno);
      return;
    }
    const known = this.#names.get(event.dyno);
    if (known === undefined) {
      this.#parts.onForeign(event);
      return;
    }
    switch (event.tag) {
      case 'started':
        this.#parts.report(event.dyno, { tag: 'started', address: event.address });
        break;
      case 'listening':
        this.#parts.report(event.dyno, { tag: 'ready', address: event.address });
        break;
      case 'exited':
        this.#parts.report(event.dyno, {
          tag: 'exited',
          status: event.status,
          signal: event.signal,
          outOfMemory: event.outOfMemory,
        });
        break;
      case 'output':
        this.#parts.positions.advance(event.dyno, event.seq);
        this.#parts.logs.append({
          ...known,
          source: 'app',
          process: known.name,
          text: event.text,
          timeUs: event.timeUs,
        });
        break;
    }
  }

  /** Some that could not be told to end, or were started as the runtime went away, may still run. */
  #endLeftover(dyno: DynoId): void {
    this.#parts.tasks.run('end leftover', async () => {
      await this.#parts.runtime.signal(dyno, 'SIGKILL');
      await this.#parts.runtime.remove(dyno);
      this.#leftovers.delete(dyno);
      this.#mounted.delete(dyno);
    });
  }

  #say(life: DynoLife, text: string): void {
    this.#parts.logs.append({ app: life.slot.app, source: 'heroku', process: nameOf(life), text });
  }
}

function slugOf({ slug, layers, format }: WantedSlot): SlugBlobs {
  return { id: slug, layers, format };
}

function nameOf(life: DynoLife): string {
  return `${life.slot.type}.${life.slot.index}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof PlatformError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
