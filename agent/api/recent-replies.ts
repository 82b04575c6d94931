import type { Reply } from './reply.ts';

const REPLIES_MAX = 1_000;
const KEPT_MS = 10 * 60_000;

/**
 * Answers to POSTs by their Request-Id. Clients send a POST again, with the same id, when its connection broke: what the
 * ledger remembers is the same write anyway, and this makes the rest (a one-off dyno, a build, a log session) happen once.
 */
export class RecentReplies {
  readonly #replies = new Map<string, { readonly at: number; readonly reply: Promise<Reply | null> }>();

  /** Runs `handle`, or gives what it gave for this key lately. A failure is not kept: it may be tried again. */
  async once(key: string, handle: () => Promise<Reply | null>): Promise<Reply | null> {
    this.#forgetOld();
    const known = this.#replies.get(key);
    if (known !== undefined) return known.reply;
    const reply = handle();
    this.#replies.set(key, { at: performance.now(), reply });
    try {
      return await reply;
    } catch (error) {
      this.#replies.delete(key);
      throw error;
    }
  }

  #forgetOld(): void {
    const before = performance.now() - KEPT_MS;
    for (const [key, { at }] of this.#replies) {
      if (at >= before && this.#replies.size < REPLIES_MAX) return;
      this.#replies.delete(key);
    }
  }
}
