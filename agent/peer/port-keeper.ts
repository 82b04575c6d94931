import type { Logger } from 'pino';
import type { PortReport, RouterHandle } from '../../src/shell/router.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { pause } from '../lib/pause.ts';
import type { Tasks } from '../lib/tasks.ts';

const RETRY_MS = 3_000;

type Parts = {
  readonly runtime: Pick<Runtime, 'allowPorts' | 'internalHost'>;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly retryMs?: number;
};

/** Has dynos let through to the internal ports on which the router listens, and says at which it cannot. */
export class PortKeeper {
  readonly #parts: Parts;
  /** What is said already, by number. */
  #failed: ReadonlyMap<number, string> = new Map();
  #listening: readonly number[] = [];
  #isAtIt = false;
  #isRefused = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  follow(router: Pick<RouterHandle, 'onPorts'>): void {
    router.onPorts((report) => this.#onReport(report));
  }

  #onReport({ listening, failed }: PortReport): void {
    this.#tell(listening, failed);
    this.#listening = listening;
    if (this.#isAtIt) return;
    this.#isAtIt = true;
    this.#parts.tasks.run('let dynos through to internal ports', () => this.#allow());
  }

  /** Until the latest report is in force: a newer one may come at any time, and the Engine may be away. */
  async #allow(): Promise<void> {
    const { signal, retryMs = RETRY_MS } = this.#parts;
    let allowed: readonly number[] | null = null;
    while (allowed !== this.#listening && !signal.aborted) {
      const wanted: readonly number[] = this.#listening;
      if (await this.#tryToAllow(wanted)) allowed = wanted;
      else await pause(retryMs * (0.5 + Math.random()), signal);
    }
    this.#isAtIt = false;
  }

  async #tryToAllow(numbers: readonly number[]): Promise<boolean> {
    const { runtime, log } = this.#parts;
    try {
      await runtime.allowPorts(numbers);
      this.#isRefused = false;
      return true;
    } catch (err) {
      if (!this.#isRefused) log.warn({ numbers, err }, 'dynos not let through to internal ports');
      this.#isRefused = true;
      return false;
    }
  }

  #tell(listening: PortReport['listening'], failed: PortReport['failed']): void {
    const { runtime, log } = this.#parts;
    const known = this.#failed;
    this.#failed = new Map(failed.map(({ number, reason }) => [number, reason]));
    const { internalHost: host } = runtime;
    for (const number of listening)
      if (known.has(number)) log.info({ host, number }, 'internal port listened on');
    for (const [number, reason] of this.#failed) {
      if (known.get(number) === reason) continue;
      log.warn({ host, number, reason }, 'internal port not listened on');
    }
  }
}
