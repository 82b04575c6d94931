import type { Logger } from 'pino';
import { pause } from '../../lib/pause.ts';
import type { Tasks } from '../../lib/tasks.ts';
import type { PortGate } from './port-gate.ts';

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;

type Parts = {
  readonly portGate: Pick<PortGate, 'restore'>;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly retryMs?: number;
};

/** Puts the opening for internal ports back where the host may have lost it, and tries for as long as it cannot. */
export class PortGateRepair {
  readonly #parts: Parts;
  readonly #closing = new AbortController();
  #isAtIt = false;
  #isRefused = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Tries once; what fails goes on by itself, for internal ports alone are shut meanwhile: dynos run on. */
  async repair(): Promise<void> {
    if ((await this.#try()) || this.#isAtIt) return;
    this.#isAtIt = true;
    this.#parts.tasks.run('let dynos through to internal ports again', () => this.#tryAgain());
  }

  close(): void {
    this.#closing.abort();
  }

  async #tryAgain(): Promise<void> {
    const { signal } = this.#closing;
    let { retryMs = RETRY_MS } = this.#parts;
    do {
      await pause(retryMs * (0.5 + Math.random()), signal);
      retryMs = Math.min(2 * retryMs, RETRY_MS_MAX);
    } while (!signal.aborted && !(await this.#try()));
    this.#isAtIt = false;
  }

  async #try(): Promise<boolean> {
    const { portGate, log } = this.#parts;
    try {
      await portGate.restore();
      if (this.#isRefused) log.info('dynos let through to internal ports again');
      this.#isRefused = false;
      return true;
    } catch (err) {
      if (!this.#isRefused) log.warn({ err }, 'dynos not let through to internal ports');
      this.#isRefused = true;
      return false;
    }
  }
}
