import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { DynoEffect, DynoEvent, DynoLife } from '../../src/dynos/types.ts';
import type { AppId, BlobId, DynoId, PeerId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { RouterHandle } from '../../src/shell/router.ts';
import type { DynoSpec, Runtime, RuntimeEvent } from '../../src/shell/runtime.ts';
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
  readonly onForeign: (event: RuntimeEvent) => void;
};

/** Performs what the machine decides about formation dynos, and tells it what became of them. */
export class DynoManager {
  readonly #parts: DynoManagerParts;
  readonly #names = new Map<DynoId, { readonly app: AppId; readonly name: string }>();
  readonly #fetching = new Map<DynoId, AbortController>();
  readonly #warming = new Set<BlobId>();

  constructor(parts: DynoManagerParts) {
    this.#parts = parts;
    parts.runtime.onEvent((event) => this.#onRuntime(event));
  }

  /** Whose output a dyno's lines are: known from its start, or given again when it is adopted. */
  know(dyno: DynoId, app: AppId, name: string): void {
    this.#names.set(dyno, { app, name });
  }

  perform(life: DynoLife, effect: DynoEffect, holders: readonly PeerId[]): void {
    const { tasks } = this.#parts;
    this.know(life.dyno, life.slot.app, nameOf(life));
    switch (effect.tag) {
      case 'fetchSlug':
        tasks.run('fetch slug', () => this.#fetch(life, holders));
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
      await this.#parts.runtime.remove(dyno);
      this.#names.delete(dyno);
      this.#parts.positions.forget(dyno);
    });
  }

  /** Has a slug on disk and unpacked ahead of need. */
  warm(slug: BlobId, holders: readonly PeerId[]): void {
    if (this.#warming.has(slug)) return;
    this.#warming.add(slug);
    this.#parts.tasks.run('warm slug', async () => {
      try {
        await this.#parts.blobs.fetch(slug, holders, AbortSignal.timeout(FETCH_MS));
        await this.#parts.runtime.prepare(slug, this.#parts.blobs.path(slug));
      } catch (err) {
        this.#parts.log.info({ slug, err }, 'slug not warmed');
      } finally {
        this.#warming.delete(slug);
      }
    });
  }

  async #fetch(life: DynoLife, holders: readonly PeerId[]): Promise<void> {
    const { blobs, runtime, report, log } = this.#parts;
    const abort = new AbortController();
    this.#fetching.set(life.dyno, abort);
    try {
      const { slug } = life.slot;
      await blobs.fetch(slug, holders, AbortSignal.any([abort.signal, AbortSignal.timeout(FETCH_MS)]));
      await runtime.prepare(slug, blobs.path(slug));
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
      slugPath: this.#parts.blobs.path(slot.slug),
      slugId: slot.slug,
      env: this.#parts.environment(life),
      web: slot.type === 'web',
      memoryMiB: slot.memoryMiB,
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
    const known = this.#names.get(event.dyno);
    if (known === undefined) {
      this.#parts.onForeign(event);
      return;
    }
    switch (event.tag) {
      case 'started':
        this.#parts.report(event.dyno, { tag: 'started', port: event.port });
        break;
      case 'listening':
        this.#parts.report(event.dyno, { tag: 'ready' });
        break;
      case 'exited':
        this.#parts.report(event.dyno, { tag: 'exited', status: event.status, signal: event.signal });
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

  #say(life: DynoLife, text: string): void {
    this.#parts.logs.append({ app: life.slot.app, source: 'heroku', process: nameOf(life), text });
  }
}

function nameOf(life: DynoLife): string {
  return `${life.slot.type}.${life.slot.index}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof PlatformError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
