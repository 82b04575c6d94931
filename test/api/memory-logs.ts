import { EventEmitter, on } from 'node:events';
import type { AppId, PeerId } from '../../src/ids.ts';
import { matchesFilter } from '../../src/logs/filter.ts';
import type { LogFilter, LogLine } from '../../src/logs/line.ts';
import type { LogItem, Logs } from '../../src/shell/logs.ts';

/** Logs of one peer, in memory. */
export class MemoryLogs implements Logs {
  readonly lines: LogLine[] = [];
  readonly missing: PeerId[] = [];
  readonly #items = new EventEmitter();

  append(line: {
    app: AppId;
    source: 'app' | 'heroku';
    process: string;
    text: string;
    timeUs?: number;
  }): void {
    const seq = this.lines.length;
    const full: LogLine = { timeUs: 1_000_000 * (seq + 1), peer: '12D3KooWlogs' as PeerId, seq, ...line };
    this.lines.push(full);
    this.emit({ line: full, boot: 1 });
  }

  emit(item: LogItem): void {
    this.#items.emit('item', item);
  }

  async recent(app: AppId, lines: number, filter: LogFilter) {
    return { lines: this.#last(app, lines, filter), missing: this.missing };
  }

  async *tail(app: AppId, lines: number, filter: LogFilter, signal: AbortSignal): AsyncIterable<LogItem> {
    const items = on(this.#items, 'item', { signal });
    for (const line of this.#last(app, lines, filter)) yield { line, boot: 1 };
    for await (const [item] of items) yield item as LogItem;
  }

  async *follow(
    app: AppId,
    _from: ReadonlyMap<PeerId, unknown>,
    _sinceUs: number,
    signal: AbortSignal,
  ): AsyncIterable<LogItem> {
    yield* this.tail(app, this.lines.length, {}, signal);
  }

  async remove(app: AppId): Promise<void> {
    for (const line of this.lines.splice(0)) if (line.app !== app) this.lines.push(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #last(app: AppId, lines: number, filter: LogFilter): readonly LogLine[] {
    const fitting = this.lines.filter((line) => line.app === app && matchesFilter(filter, line));
    return lines === 0 ? [] : fitting.slice(-lines);
  }
}
