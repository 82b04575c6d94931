import { PlatformError } from '../../src/errors.ts';
import type { View } from '../../src/ledger/view.ts';
import { whyEnded } from '../../src/platform/grant.ts';
import type { Entry, Grant } from '../../src/platform/grant.ts';

/** Aborts, with a PlatformError that says why, when who opened a stream would not be let in any more. */
export type Watch = Disposable & { readonly signal: AbortSignal };

const LOOK_MS = 1_000;

/** Streams that go on long after their request was let in: each is looked at every second, for as long as it is open. */
export class OpenStreams implements Disposable {
  readonly #view: () => View;
  readonly #open = new Map<AbortController, Entry | Grant>();
  #timer: NodeJS.Timeout | null = null;

  constructor(view: () => View) {
    this.#view = view;
  }

  /** The caller disposes it when the stream has ended. It may have aborted from the start. */
  watch(grant: Entry | Grant): Watch {
    const ended = new AbortController();
    this.#open.set(ended, grant);
    this.#look();
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return { signal: ended.signal, [Symbol.dispose]: () => this.#forget(ended) };
  }

  [Symbol.dispose](): void {
    for (const ended of this.#open.keys()) this.#forget(ended);
  }

  #look(): void {
    const [view, now] = [this.#view(), Date.now()];
    for (const [ended, grant] of this.#open) {
      const why = whyEnded(view, grant, now);
      if (why === null) continue;
      this.#forget(ended);
      ended.abort(new PlatformError('forbidden', `This has been ended: ${why}`));
    }
  }

  #forget(ended: AbortController): void {
    this.#open.delete(ended);
    if (this.#open.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** What is told to who was at the other end. */
export function reasonOf({ reason }: AbortSignal): PlatformError {
  return reason instanceof PlatformError ? reason : new PlatformError('forbidden', 'This has been ended');
}
