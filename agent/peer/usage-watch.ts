import type { Logger } from 'pino';
import { sizeOf } from '../../src/dyno-sizes.ts';
import type { DynoUsage, Load } from '../../src/dyno-usage.ts';
import { nextLoad, type CpuMark } from '../../src/dynos/load.ts';
import { metricsLines, quotaLines } from '../../src/dynos/usage-lines.ts';
import type { AppId, DynoId } from '../../src/ids.ts';
import type { View } from '../../src/ledger/view.ts';
import type { PeerState } from '../../src/peer/state.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import type { Tasks } from '../lib/tasks.ts';
import { every } from '../lib/timers.ts';

// As often as Heroku says R14 and samples metrics. https://devcenter.heroku.com/articles/log-runtime-metrics
const LOOK_EVERY_MS = 20_000;
/** An Engine takes a moment for each, so several are asked at a time; more would only queue up inside it. */
const ASKED_AT_ONCE = 4;
const ANSWER_MS = 5_000;
/** Somebody waits before a terminal. */
const ANSWER_SOON_MS = 1_500;
/** Whoever asks twice within this gets the same answer. */
const FRESH_MS = 1_000;

/** One dyno that runs here, formation or one-off. */
type Watched = {
  readonly dyno: DynoId;
  readonly app: AppId;
  readonly name: string;
  readonly size: string;
  /** Of this process's clock. */
  readonly launchedAt: number;
};

type Look = CpuMark & { readonly load: Load; readonly usage: DynoUsage };

export type UsageWatchParts = {
  readonly runtime: Pick<Runtime, 'stats'>;
  readonly logs: Pick<Logs, 'append'>;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly state: () => Pick<PeerState, 'dynos' | 'oneOffs'>;
  readonly view: () => View;
};

/** Looks at what dynos use: every 20 s for the app's log, and whenever somebody asks. */
export class UsageWatch {
  readonly #parts: UsageWatchParts;
  readonly #looks = new Map<DynoId, Look>();
  /** Questions that the runtime has not answered yet: a dyno is never asked about twice at a time. */
  readonly #asking = new Map<DynoId, Promise<DynoUsage | null>>();
  #isLooking = false;

  constructor(parts: UsageWatchParts) {
    this.#parts = parts;
  }

  repeat(signal: AbortSignal): void {
    every(LOOK_EVERY_MS, signal, () => this.#parts.tasks.run('look at dynos', () => this.look()));
  }

  /** One round: says what there is to say. A round that is still under way when the next is due takes its place. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const watched = this.#watched();
      const running = new Set(watched.map(({ dyno }) => dyno));
      for (const dyno of this.#looks.keys()) if (!running.has(dyno)) this.#looks.delete(dyno);
      await this.#each(watched, ANSWER_MS, (each, usage) => this.#say(each, usage));
    } finally {
      this.#isLooking = false;
    }
  }

  /** What the dynos of an app use here just now; those that did not answer in time are left out. */
  async of(app: AppId): Promise<readonly DynoUsage[]> {
    const found: DynoUsage[] = [];
    await this.#each(
      this.#watched().filter((each) => each.app === app),
      ANSWER_SOON_MS,
      (_, usage) => found.push(usage),
    );
    return found;
  }

  async #each(
    watched: readonly Watched[],
    withinMs: number,
    use: (each: Watched, usage: DynoUsage) => void,
  ): Promise<void> {
    const queue = [...watched];
    const work = async (): Promise<void> => {
      for (let each = queue.shift(); each !== undefined; each = queue.shift()) {
        const usage = await this.#inTime(each, withinMs);
        if (usage !== null) use(each, usage);
      }
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, work));
  }

  async #inTime(each: Watched, withinMs: number): Promise<DynoUsage | null> {
    const held = this.#looks.get(each.dyno);
    if (held !== undefined && performance.now() - held.at < FRESH_MS) return held.usage;
    const asked = this.#asking.get(each.dyno) ?? this.#ask(each);
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), withinMs);
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #ask(each: Watched): Promise<DynoUsage | null> {
    const asked = this.#measure(each).finally(() => this.#asking.delete(each.dyno));
    this.#asking.set(each.dyno, asked);
    return asked;
  }

  async #measure({ dyno, name, app, size, launchedAt }: Watched): Promise<DynoUsage | null> {
    try {
      const stats = await this.#parts.runtime.stats(dyno);
      if (stats === null) return null;
      const mark = { cpuSeconds: stats.cpuSeconds, at: performance.now() };
      const load = nextLoad(this.#looks.get(dyno) ?? { cpuSeconds: 0, at: launchedAt }, mark);
      const usage = { dyno, stats, load, quotaMiB: sizeOf(size).memoryMiB };
      this.#looks.set(dyno, { ...mark, load, usage });
      return usage;
    } catch (err) {
      this.#parts.log.debug({ dyno: name, app, err }, 'dyno not measured');
      return null;
    }
  }

  #say({ app, name }: Watched, usage: DynoUsage): void {
    const wantsMetrics = this.#parts.view().apps.get(app)?.features.has('log-runtime-metrics') === true;
    const lines = [...quotaLines(usage), ...(wantsMetrics ? metricsLines(app, name, usage) : [])];
    for (const text of lines) this.#parts.logs.append({ app, source: 'heroku', process: name, text });
  }

  #watched(): readonly Watched[] {
    const { dynos, oneOffs } = this.#parts.state();
    const wallToMono = performance.now() - Date.now();
    return [
      ...[...dynos.values()]
        .filter(({ state }) => state.tag !== 'fetching' && state.tag !== 'crashed')
        .map(({ dyno, slot, launchedAt }) => ({
          dyno,
          app: slot.app,
          name: `${slot.type}.${slot.index}`,
          size: slot.size,
          launchedAt: launchedAt.mono,
        })),
      ...oneOffs.map(({ dyno, app, name, size, since }) => ({
        dyno,
        app,
        name,
        size,
        launchedAt: since + wallToMono,
      })),
    ];
  }
}
