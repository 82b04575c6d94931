import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { LogLine } from '../../src/logs/line.ts';
import { isAppId } from './app-id.ts';
import { RingFile } from './ring-file.ts';
import { LogRing } from './ring.ts';

const WRITE_MS = 200;

export type RingStoreOptions = {
  /** One folder an app. */
  readonly dir: string;
  readonly self: PeerId;
  readonly log: Logger;
  /** Wall ms. */
  readonly now: () => number;
};

type Kept = { readonly ring: LogRing; readonly file: RingFile };

/** The rings of all apps, in memory and, a moment later, on disk. */
export class RingStore implements AsyncDisposable {
  /** Names this run of the agent: numbers of lines are only comparable within it. */
  readonly boot: number;
  readonly #options: RingStoreOptions;
  readonly #apps = new Map<AppId, Kept>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: RingStoreOptions, boot: number) {
    this.#options = options;
    this.boot = boot;
  }

  /** Reads what the last run left. */
  static async open(options: RingStoreOptions): Promise<RingStore> {
    const { dir, self, log } = options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const loaded: { app: AppId; file: RingFile; lines: readonly LogLine[] }[] = [];
    for (const app of (await readdir(dir)).filter(isAppId)) {
      const file = new RingFile(join(dir, app));
      const { lines, corrupt } = await file.load(app, self);
      if (corrupt > 0) log.warn({ app, corrupt }, 'skipped log lines that could not be read');
      loaded.push({ app, file, lines });
    }
    // Boots must grow even when the clock went back.
    const lastMs = loaded.map(({ lines }) => Math.floor((lines.at(-1)?.timeUs ?? 0) / 1_000) + 1);
    const store = new RingStore(options, Math.max(Math.floor(options.now()), ...lastMs));
    for (const { app, file, lines } of loaded)
      store.#apps.set(app, { ring: new LogRing(store.boot, lines), file });
    return store;
  }

  ring(app: AppId): LogRing | null {
    return this.#apps.get(app)?.ring ?? null;
  }

  /** Numbers and keeps a line. Null for an app whose id is none. */
  append(line: Omit<LogLine, 'peer' | 'seq'>): LogLine | null {
    const kept = this.#apps.get(line.app) ?? this.#create(line.app);
    if (kept === null) return null;
    const numbered = { ...line, peer: this.#options.self, seq: kept.ring.nextSeq };
    kept.ring.push(numbered);
    kept.file.add(numbered);
    this.#timer ??= setTimeout(() => this.#writeAll(), WRITE_MS).unref();
    return numbered;
  }

  async remove(app: AppId): Promise<void> {
    const kept = this.#apps.get(app);
    if (kept === undefined) return;
    this.#apps.delete(app);
    this.#writing = this.#writing.then(() =>
      this.#attempt(() => kept.file.remove(), app, 'cannot remove log lines'),
    );
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#writeAll();
    await this.#writing;
  }

  #create(app: AppId): Kept | null {
    if (!isAppId(app)) {
      this.#options.log.warn({ app }, 'log line of an app whose id is no id');
      return null;
    }
    const kept = { ring: new LogRing(this.boot), file: new RingFile(join(this.#options.dir, app)) };
    this.#apps.set(app, kept);
    return kept;
  }

  #writeAll(): void {
    this.#timer = null;
    this.#writing = this.#writing.then(async () => {
      for (const [app, { file }] of this.#apps) {
        if (file.isDirty) await this.#attempt(() => file.flush(), app, 'cannot write log lines');
      }
    });
  }

  /** Logs are best effort: a full disk costs lines after a restart, nothing else. */
  async #attempt(work: () => Promise<void>, app: AppId, phrase: string): Promise<void> {
    try {
      await work();
    } catch (err) {
      this.#options.log.warn({ app, err }, phrase);
    }
  }
}
