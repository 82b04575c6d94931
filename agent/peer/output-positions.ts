import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { DynoId } from '../../src/ids.ts';

/** Longer than logs take to reach the disk: a position is saved so long after its line came, never ahead of it. */
const SAVE_AFTER_MS = 500;

/**
 * How far the output of each dyno has been read. After a crash of the agent the keeper is asked for what follows, so
 * that no line is lost; those of the last second may come twice.
 */
export class OutputPositions implements Disposable {
  readonly #path: string;
  readonly #log: Logger;
  readonly #seqs: Map<DynoId, number>;
  #timer: NodeJS.Timeout | null = null;
  /** Something came after what the timer will save. */
  #hasMore = false;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#seqs = new Map(Object.entries(load(path)) as [DynoId, number][]);
  }

  last(dyno: DynoId): number {
    return this.#seqs.get(dyno) ?? -1;
  }

  advance(dyno: DynoId, seq: number): void {
    this.#seqs.set(dyno, seq);
    if (this.#timer === null) this.#saveLater();
    else this.#hasMore = true;
  }

  forget(dyno: DynoId): void {
    this.#seqs.delete(dyno);
  }

  /** Saves what is known now, and not what comes until then. */
  #saveLater(): void {
    const seqs = Object.fromEntries(this.#seqs);
    this.#hasMore = false;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#save(seqs);
      if (this.#hasMore) this.#saveLater();
    }, SAVE_AFTER_MS);
  }

  #save(seqs: Record<string, number>): void {
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(seqs), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (err) {
      this.#log.warn({ err }, 'output positions not saved');
    }
  }

  [Symbol.dispose](): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#save(Object.fromEntries(this.#seqs));
  }
}

function load(path: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>;
  } catch {
    // Not there, or torn: the rings are read again from their start.
    return {};
  }
}
