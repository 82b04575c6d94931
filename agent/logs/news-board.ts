import type { AppId, PeerId } from '../../src/ids.ts';
import { isLater, type LogPosition } from '../../src/logs/position.ts';

/** How far a reader is in this peer's lines of each app that it watches; null where it has none. */
export type Known = ReadonlyMap<AppId, LogPosition | null>;

/** Apps whose lines went on from there, and how far. */
export type News = readonly (readonly [app: AppId, position: LogPosition])[];

type Waiting = { readonly known: Known; readonly answer: (news: News) => void };

/** Has other peers wait for news of all the apps that they watch at once: where nobody says anything, nobody asks. */
export class NewsBoard {
  readonly #position: (app: AppId) => LogPosition | null;
  readonly #waiting = new Map<PeerId, Waiting>();

  /** @param position how far this peer's lines of an app are; null where there are none */
  constructor(position: (app: AppId) => LogPosition | null) {
    this.#position = position;
  }

  /**
   * Resolves as soon as there is any news, or with none after `withinMs`. Each peer has one question: what it asked
   * before is answered with nothing, for whoever asks again has left that.
   */
  async ask(from: PeerId, known: Known, withinMs: number): Promise<News> {
    const news = this.#news(known);
    if (news.length > 0 || withinMs === 0) return news;
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer([]), withinMs).unref();
      const answer = (found: News): void => {
        clearTimeout(timer);
        if (this.#waiting.get(from)?.answer === answer) this.#waiting.delete(from);
        resolve(found);
      };
      this.#waiting.get(from)?.answer([]);
      this.#waiting.set(from, { known, answer });
    });
  }

  /** A line of the app was made here. */
  said(app: AppId): void {
    for (const { known, answer } of this.#waiting.values()) if (known.has(app)) answer(this.#news(known));
  }

  close(): void {
    for (const { answer } of this.#waiting.values()) answer([]);
  }

  #news(known: Known): News {
    return [...known].flatMap(([app, reached]) => {
      const position = this.#position(app);
      const isNews = position !== null && (reached === null || isLater(position, reached));
      return isNews ? [[app, position] as const] : [];
    });
  }
}
