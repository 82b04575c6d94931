/** Whom not to ask for a while. */
export class Ejections<Key> {
  readonly #timers = new Map<Key, NodeJS.Timeout>();

  has(key: Key): boolean {
    return this.#timers.has(key);
  }

  /** From now for so long, however long it was to be before. Calls `onEnd` when that is over. */
  add(key: Key, ms: number, onEnd: () => void): void {
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      onEnd();
    }, ms);
    timer.unref();
    this.#timers.set(key, timer);
  }
}
