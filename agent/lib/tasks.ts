import type { Logger } from 'pino';

/** Owns promises that nobody awaits: a failure is logged under its name, and `settled` waits for those under way. */
export class Tasks {
  readonly #log: Logger;
  readonly #running = new Set<Promise<void>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  run(name: string, work: () => Promise<unknown>): void {
    const task = (async () => {
      try {
        await work();
      } catch (err) {
        this.#log.error({ task: name, err }, 'task failed');
      }
    })();
    this.#running.add(task);
    void task.finally(() => this.#running.delete(task));
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
