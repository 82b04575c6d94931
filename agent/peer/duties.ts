import type { Logger } from 'pino';
import type { Duty, DutyKind } from '../../src/ledger/duty.ts';
import { pause } from '../lib/pause.ts';
import type { Tasks } from '../lib/tasks.ts';

/**
 * Does one duty until it is done, or until `signal` says that it is another peer's now. It may have been begun, or even
 * done, by another peer before. A rejection is tried again.
 */
export type DutyWorker = (duty: Duty, signal: AbortSignal) => Promise<void>;
export type DutyWorkers = { readonly [Kind in DutyKind]: DutyWorker };

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;

type Running = { readonly stop: AbortController };

/** Keeps one worker going for each duty of this peer. */
export class Duties {
  readonly #workers: DutyWorkers;
  readonly #tasks: Tasks;
  readonly #log: Logger;
  readonly #running = new Map<string, Running>();

  constructor(workers: DutyWorkers, tasks: Tasks, log: Logger) {
    this.#workers = workers;
    this.#tasks = tasks;
    this.#log = log;
  }

  /** These are ours from now on, and no others. */
  follow(duties: readonly Duty[]): void {
    const wanted = new Map(duties.map((duty) => [duty.key, duty]));
    for (const [key, { stop }] of this.#running) {
      if (wanted.has(key)) continue;
      stop.abort();
      this.#running.delete(key);
    }
    for (const [key, duty] of wanted) {
      if (this.#running.has(key)) continue;
      const stop = new AbortController();
      this.#running.set(key, { stop });
      this.#tasks.run(`duty ${duty.kind}`, () => this.#work(duty, stop.signal));
    }
  }

  close(): void {
    this.follow([]);
  }

  /** The ledger says when a duty is over, by listing it no more: until then it is looked at again, ever more seldom. */
  async #work(duty: Duty, signal: AbortSignal): Promise<void> {
    const worker: DutyWorker = this.#workers[duty.kind];
    for (let waitMs = RETRY_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        await worker(duty, signal);
      } catch (err) {
        if (signal.aborted) return;
        this.#log.warn({ duty: duty.key, retryMs: waitMs, err }, 'duty not done');
      }
      await pause(waitMs * (0.5 + Math.random()), signal);
    }
  }
}
