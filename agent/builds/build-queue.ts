import { PlatformError } from '../../src/errors.ts';

/** One at a time, in order; bounded. Those that wait are told their place whenever it changes. */
export class BuildQueue {
  readonly #waitingMax: number;
  readonly #waiting: { readonly start: () => void; readonly onPlace: (ahead: number) => void }[] = [];
  #isBusy = false;

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /**
   * @param onPlace how many are ahead, while there are some
   * @throws PlatformError `unavailable` when too many wait already
   */
  async run<T>(work: () => Promise<T>, onPlace: (ahead: number) => void): Promise<T> {
    if (this.#isBusy) await this.#turn(onPlace);
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // Handed over busy, so that nobody slips in between.
      if (next === undefined) this.#isBusy = false;
      else next.start();
      for (const [index, { onPlace }] of this.#waiting.entries()) onPlace(index + 1);
    }
  }

  #turn(onPlace: (ahead: number) => void): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) {
      throw new PlatformError(
        'unavailable',
        `Cannot build now: ${this.#waiting.length} builds wait on this peer`,
        {
          hint: 'Push to another peer, or try again in a few minutes',
        },
      );
    }
    return new Promise((start) => {
      this.#waiting.push({ start, onPlace });
      onPlace(this.#waiting.length);
    });
  }
}
