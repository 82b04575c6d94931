import type { RouterCore } from './router-core.ts';

/** One line of a kind in this time for each port, however many connections fail. */
const SAME_AFTER_MS = 5_000;

/** What goes wrong at one internal port, in its app's log: a few lines of it, with how often it was. */
export class PortComplaints {
  readonly #core: RouterCore;
  readonly #number: number;
  /** By description, of which there are a handful: the last line's time (mono ms), and how many were left out since. */
  readonly #said = new Map<string, { atMs: number; leftOut: number }>();

  constructor(core: RouterCore, number: number) {
    this.#core = core;
    this.#number = number;
  }

  add(desc: string): void {
    const app = this.#core.ports.get(this.#number)?.app;
    if (app === undefined) return;
    const now = performance.now();
    const last = this.#said.get(desc);
    if (last !== undefined && now - last.atMs < SAME_AFTER_MS) {
      last.leftOut += 1;
      return;
    }
    const more = last === undefined || last.leftOut === 0 ? '' : ` more=${last.leftOut}`;
    this.#said.set(desc, { atMs: now, leftOut: 0 });
    const text = `at=error desc="${desc}" port=${this.#number}${more}`;
    this.#core.log({ app, timeUs: Date.now() * 1000, text });
  }
}
