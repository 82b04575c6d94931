/** Something with a time limit. `dueAt` (mono ms) may be moved at any time for free: that is the point of it. */
export interface Timed {
  dueAt: number;
  onDue(): void;
}

/**
 * One coarse timer for all connections and requests. Each byte moves a limit; with a timer of its own for each, a
 * busy router would do little else.
 */
export class Deadlines {
  readonly #items = new Set<Timed>();
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;

  /** @param everyMs how late a limit may be noticed */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  add(item: Timed): void {
    this.#items.add(item);
    this.#timer ??= setInterval(() => this.#sweep(), this.#everyMs);
  }

  delete(item: Timed): void {
    this.#items.delete(item);
  }

  #sweep(): void {
    const now = performance.now();
    for (const item of this.#items) {
      if (item.dueAt <= now) item.onDue();
    }
    // An idle router sleeps.
    if (this.#items.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
