import { PlatformError } from '../../src/errors.ts';

// Pushes of one app that may wait: a person pushes, not a crowd.
const WAITING_MAX = 10;

/** Pushes of one app take turns; those of different apps do not meet. */
export class AppLocks {
  readonly #tails = new Map<string, { tail: Promise<void>; holders: number }>();

  isHeld(app: string): boolean {
    return this.#tails.has(app);
  }

  /**
   * Resolves with the release function once it is this caller's turn.
   * @throws PlatformError `unavailable` when too many wait
   */
  async acquire(app: string): Promise<() => void> {
    const entry = this.#tails.get(app) ?? { tail: Promise.resolve(), holders: 0 };
    if (entry.holders > WAITING_MAX) {
      throw new PlatformError(
        'unavailable',
        `Cannot take this push: ${WAITING_MAX} others of this app wait`,
        {
          hint: 'Try again when they are through',
        },
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = entry.tail;
    entry.tail = before.then(() => promise);
    entry.holders += 1;
    this.#tails.set(app, entry);
    await before;
    return () => {
      entry.holders -= 1;
      if (entry.holders === 0) this.#tails.delete(app);
      resolve();
    };
  }
}
