import type { PeerId } from '../../src/ids.ts';
import type { LogLine } from '../../src/logs/line.ts';
import { wireBytes } from '../../src/logs/wire.ts';
import type { LogItem } from '../../src/shell/logs.ts';

/** What a slow watcher may have waiting before its oldest lines are dropped and counted. */
export const QUEUE_BYTES_MAX = 256 * 1024;

/** What one tail has yet to show. Never grows past its bound, and never hides that it dropped something. */
export class WatchQueue {
  readonly #bytesMax: number;
  #items: LogItem[] = [];
  #bytes = 0;
  /** Dropped from the front since the last `take`, to be told before what follows. */
  readonly #dropped = new Map<PeerId, number>();
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(bytesMax = QUEUE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  pushLine(line: LogLine, boot: number): void {
    this.#items.push({ line, boot });
    this.#bytes += wireBytes(line);
    while (this.#bytes > this.#bytesMax) this.#dropOldest();
    this.#wake?.();
  }

  /** Lines that never reached this queue. */
  pushGap(peer: PeerId, dropped: number): void {
    this.#items.push({ gap: { peer, dropped } });
    this.#wake?.();
  }

  /** The next item, waiting for one; null once closed. For one reader at a time. */
  async take(): Promise<LogItem | null> {
    for (;;) {
      if (this.#isClosed) return null;
      const item = this.#shift();
      if (item !== null) return item;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#items = [];
    this.#dropped.clear();
    this.#wake?.();
  }

  #shift(): LogItem | null {
    for (const [peer, dropped] of this.#dropped) {
      this.#dropped.delete(peer);
      return { gap: { peer, dropped } };
    }
    const item = this.#items.shift();
    if (item === undefined) return null;
    if ('line' in item) this.#bytes -= wireBytes(item.line);
    return item;
  }

  #dropOldest(): void {
    const item = this.#items.shift();
    if (item === undefined) return;
    const { peer, count } =
      'line' in item ? { peer: item.line.peer, count: 1 } : { peer: item.gap.peer, count: item.gap.dropped };
    this.#dropped.set(peer, (this.#dropped.get(peer) ?? 0) + count);
    if ('line' in item) this.#bytes -= wireBytes(item.line);
  }
}
