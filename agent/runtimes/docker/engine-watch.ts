import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { reasonOf, within, type Engine } from '../../lib/engine.ts';
import { LABEL } from './labels.ts';

/** An Engine that is away for less is no news: it is being upgraded, or was just slow. */
const AWAY_MS = 3_000;
const RETRY_MS = 200;
const RETRY_MS_MAX = 2_000;
const PING_EVERY_MS = 5_000;
const PING_MS_MAX = 10_000;

export type ContainerEvent = {
  readonly container: string;
  readonly what: 'die' | 'oom' | 'destroy';
  readonly labels: Readonly<Record<string, string>>;
};

type Options = {
  readonly engine: Engine;
  readonly peer: string;
  readonly log: Logger;
  readonly onEvent: (event: ContainerEvent) => void;
  /** The connection is there (again): what happened meanwhile must be asked for. */
  readonly onConnected: () => Promise<void>;
  readonly onAvailable: (on: boolean, reason: string) => void;
};

type EngineEvent = {
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Record<string, string> };
};

/** Hears of this peer's containers as long as the Engine answers, and says when it does not. */
export class EngineWatch {
  readonly #options: Options;
  readonly #closing = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #stream: Readable | null = null;
  #awayTimer: NodeJS.Timeout | undefined;
  #isAway = false;
  readonly #loop: Promise<void>;

  constructor(options: Options) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** Resolves once events are heard for the first time. */
  connected(): Promise<void> {
    return this.#first.promise;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#awayTimer);
    this.#stream?.destroy();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let retryMs = RETRY_MS;
    while (!signal.aborted) {
      let reason = 'its stream of events ended';
      try {
        await this.#listen(() => (retryMs = RETRY_MS));
      } catch (error) {
        reason = reasonOf(error);
      }
      if (signal.aborted) return;
      this.#lost(reason);
      await sleep(retryMs, undefined, { signal }).catch(() => {});
      retryMs = Math.min(retryMs * 1.5, RETRY_MS_MAX);
    }
  }

  async #listen(onConnected: () => void): Promise<void> {
    const { engine, peer } = this.#options;
    const filters = {
      type: ['container'],
      event: ['die', 'oom', 'destroy'],
      label: [`${LABEL.peer}=${peer}`],
    };
    // As text: the library's types know of no events of containers.
    const stream = (await within(
      PING_MS_MAX,
      'for events',
      engine.getEvents({ filters: JSON.stringify(filters) }),
    )) as Readable;
    this.#stream = stream;
    const closed = Promise.withResolvers<void>();
    stream.once('close', () => closed.resolve());
    stream.on('error', () => {});
    const ping = setInterval(() => void this.#ping(stream), PING_EVERY_MS);
    try {
      if (this.#closing.signal.aborted) stream.destroy();
      const lines = createInterface({ input: stream });
      // A broken stream is told by its own `close`.
      lines.on('error', () => {});
      lines.on('line', (line) => this.#receive(line));
      await this.#options.onConnected();
      onConnected();
      this.#found();
      await closed.promise;
    } finally {
      clearInterval(ping);
      stream.destroy();
      this.#stream = null;
    }
  }

  /** An Engine that hangs keeps its connections. */
  async #ping(stream: Readable): Promise<void> {
    try {
      await within(PING_MS_MAX, 'a ping', this.#options.engine.ping());
    } catch {
      stream.destroy();
    }
  }

  #receive(line: string): void {
    const { Action, Actor } = parseEvent(line);
    const what = Action === 'die' || Action === 'oom' || Action === 'destroy' ? Action : null;
    if (what === null || Actor?.ID === undefined) return;
    this.#options.onEvent({ container: Actor.ID, what, labels: Actor.Attributes ?? {} });
  }

  #lost(reason: string): void {
    if (this.#isAway || this.#awayTimer !== undefined) return;
    this.#awayTimer = setTimeout(() => {
      this.#awayTimer = undefined;
      this.#isAway = true;
      this.#options.log.warn({ reason }, 'Docker Engine away');
      this.#options.onAvailable(false, `the Docker Engine does not answer: ${reason}`);
    }, AWAY_MS);
  }

  #found(): void {
    this.#first.resolve();
    clearTimeout(this.#awayTimer);
    this.#awayTimer = undefined;
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#options.log.info('Docker Engine back');
    this.#options.onAvailable(true, 'the Docker Engine answers again');
  }
}

/** An Engine that is killed leaves half a line behind: that is no event, and the stream's end follows. */
function parseEvent(line: string): EngineEvent {
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return {};
  }
}
