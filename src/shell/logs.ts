import type { AppId, PeerId } from '../ids.ts';
import type { LogFilter, LogLine } from '../logs/line.ts';
import type { LogPosition } from '../logs/position.ts';

/** What a tail yields: a line and the run of its peer's agent that numbered it, or a notice that lines were lost. */
export type LogItem =
  | { readonly line: LogLine; readonly boot: number }
  | { readonly gap: { readonly peer: PeerId; readonly dropped: number } };

/** This peer's log rings, and the collated logs of all peers. */
export interface Logs extends AsyncDisposable {
  /** Adds a line made here; text over 10,000 bytes is split. Never blocks, never grows without bound. */
  append(line: {
    readonly app: AppId;
    readonly source: 'app' | 'heroku';
    readonly process: string;
    readonly text: string;
    readonly timeUs?: number;
  }): void;
  /** The last `lines` of all peers, oldest first, and the peers that did not answer in time. */
  recent(
    app: AppId,
    lines: number,
    filter: LogFilter,
  ): Promise<{ readonly lines: readonly LogLine[]; readonly missing: readonly PeerId[] }>;
  /** The last `lines`, then new ones from all peers as they come, until `signal` aborts. */
  tail(app: AppId, lines: number, filter: LogFilter, signal: AbortSignal): AsyncIterable<LogItem>;
  /**
   * All lines of all peers from where a reader got to, until `signal` aborts: what is in the rings first. Of a peer that it
   * has no position of, those since `sinceUs` (wall microseconds).
   */
  follow(
    app: AppId,
    from: ReadonlyMap<PeerId, LogPosition>,
    sinceUs: number,
    signal: AbortSignal,
  ): AsyncIterable<LogItem>;
  /** Forgets a destroyed app's lines. */
  remove(app: AppId): Promise<void>;
}
