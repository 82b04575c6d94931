import type { AppId, PeerId } from '../../src/ids.ts';
import { matchesFilter } from '../../src/logs/filter.ts';
import type { LogFilter, LogLine } from '../../src/logs/line.ts';
import { advance, isLater, type LogPosition } from '../../src/logs/position.ts';
import { fromWireLine, type LogBatch } from '../../src/logs/wire.ts';
import type { LogItem } from '../../src/shell/logs.ts';
import type { LogReply } from './exchange.ts';
import { WatchQueue } from './watch-queue.ts';

/** Batches of one peer that wait while a hole before them is being filled. */
const INBOX_BATCHES_MAX = 64;

export type TailOptions = {
  readonly app: AppId;
  readonly filter: LogFilter;
  /** What may wait for a reader that is slow. */
  readonly queueBytesMax?: number;
  /** Wall microseconds: a peer that first answers later shows its lines from here on. */
  readonly startedUs: number;
  /** Lines of a peer after a position (null: all that it keeps); null when it cannot say. */
  readonly ask: (peer: PeerId, after: LogPosition | null) => Promise<LogReply | null>;
};

type Inbox = { readonly waiting: (LogBatch | 'check')[]; isBusy: boolean };

/**
 * One watcher of an app. Gossip brings batches fast, but may lose them: positions tell what is missing, the peer that
 * made the lines is asked for it, and only what it no longer has becomes a gap.
 */
export class TailSession {
  readonly #options: TailOptions;
  readonly #queue: WatchQueue;
  readonly #positions = new Map<PeerId, LogPosition>();
  readonly #inboxes = new Map<PeerId, Inbox>();
  #isLive = false;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#queue = new WatchQueue(options.queueBytesMax);
  }

  /** Where the backlog that this peer gave ends. Before `goLive`. */
  startAt(peer: PeerId, position: LogPosition): void {
    this.#positions.set(peer, position);
  }

  /** The backlog is shown: what came meanwhile follows, without what the backlog held already. */
  async goLive(): Promise<void> {
    this.#isLive = true;
    await Promise.all([...this.#inboxes.keys()].map((peer) => this.#work(peer)));
  }

  /** A batch that gossip brought. Resolves when it is in the queue. */
  async receive(peer: PeerId, batch: LogBatch): Promise<void> {
    await this.#add(peer, batch);
  }

  /** How far this watcher is in a peer's lines; null while nothing is known of them. */
  position(peer: PeerId): LogPosition | null {
    return this.#positions.get(peer) ?? null;
  }

  /** Asks a peer for what gossip lost of its last lines: without a later one nobody would notice. */
  async check(peer: PeerId): Promise<void> {
    await this.#add(peer, 'check');
  }

  next(): Promise<LogItem | null> {
    return this.#queue.take();
  }

  close(): void {
    this.#inboxes.clear();
    this.#queue.close();
  }

  async #add(peer: PeerId, work: LogBatch | 'check'): Promise<void> {
    const inbox = this.#inboxes.get(peer) ?? { waiting: [], isBusy: false };
    this.#inboxes.set(peer, inbox);
    inbox.waiting.push(work);
    // The hole that this leaves is seen by its sequence numbers, and filled or counted.
    if (inbox.waiting.length > INBOX_BATCHES_MAX) inbox.waiting.shift();
    if (this.#isLive) await this.#work(peer);
  }

  /** Works off one peer's inbox in order; a hole is filled before what follows it. */
  async #work(peer: PeerId): Promise<void> {
    const inbox = this.#inboxes.get(peer);
    if (inbox === undefined || inbox.isBusy) return;
    inbox.isBusy = true;
    try {
      for (let work = inbox.waiting.shift(); work !== undefined; work = inbox.waiting.shift()) {
        if (work === 'check' || this.#hasHoleBefore(peer, work)) await this.#fill(peer);
        if (work !== 'check') this.#show(peer, work);
      }
    } finally {
      inbox.isBusy = false;
    }
  }

  #hasHoleBefore(peer: PeerId, batch: LogBatch): boolean {
    const position = this.#positions.get(peer);
    // Of a peer that was not heard of before, nobody knows what came before its first batch.
    return position === undefined || advance(position, batch.boot, batch.seq).missed > 0;
  }

  async #fill(peer: PeerId): Promise<void> {
    const position = this.#positions.get(peer) ?? null;
    const reply = await this.#options.ask(peer, position);
    if (reply === null) return;
    const { startedUs } = this.#options;
    const lines = position === null ? reply.lines.filter((line) => line.timeUs >= startedUs) : reply.lines;
    for (const line of lines) this.#take(line, reply.position.boot);
    // Also where it gave no line, as after its restart: it would be asked for them again and again.
    const reached = this.position(peer);
    if (reached === null || isLater(reply.position, reached)) this.#positions.set(peer, reply.position);
  }

  #show(peer: PeerId, batch: LogBatch): void {
    batch.lines.forEach((line, index) => {
      this.#take(fromWireLine(line, this.#options.app, peer, batch.seq + index), batch.boot);
    });
  }

  #take(line: LogLine, boot: number): void {
    const { position, isFresh, missed } = advance(this.#positions.get(line.peer), boot, line.seq);
    if (!isFresh) return;
    this.#positions.set(line.peer, position);
    if (missed > 0) this.#queue.pushGap(line.peer, missed);
    if (matchesFilter(this.#options.filter, line)) this.#queue.pushLine(line, boot);
  }
}
