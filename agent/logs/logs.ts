import type { Logger } from 'pino';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { LogFilter, LogLine } from '../../src/logs/line.ts';
import { mergeByTime } from '../../src/logs/merge.ts';
import { isLater, type LogPosition } from '../../src/logs/position.ts';
import { splitText } from '../../src/logs/split.ts';
import { parseBatch, toWireLine, type LogBatch } from '../../src/logs/wire.ts';
import type { LogItem, Logs } from '../../src/shell/logs.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { Tasks } from '../lib/tasks.ts';
import {
  ASK_MS_MAX,
  LOGS_SERVICE,
  answerLogs,
  askForLogs,
  type LogReply,
  type LogRequest,
} from './exchange.ts';
import { NewsAsker, serveNews } from './news-asker.ts';
import { NewsBoard, type Known } from './news-board.ts';
import { LogPublisher, logTopic } from './publisher.ts';
import { RingStore } from './ring-store.ts';
import { RING_BYTES_MAX, RING_LINES } from './ring.ts';
import { TailSession } from './tail-session.ts';
import { QUEUE_BYTES_MAX } from './watch-queue.ts';

/** How long a tail may stay unaware of lines that gossip lost. */
const CHECK_MS = 3_000;

export type LogsOptions = {
  /** Folder of this peer's rings, one folder an app. */
  readonly dir: string;
  readonly mesh: Mesh;
  /** The other peers that are alive. */
  readonly members: () => readonly PeerId[];
  readonly log: Logger;
  /** Wall ms. */
  readonly now: () => number;
  /** How long gossip has before a tail asks for what it may have lost; tests shorten it. */
  readonly checkMs?: number;
};

/** Opens what the last run left on disk and joins the peers' log exchange. Dispose before the mesh. */
export async function openLogs(options: LogsOptions): Promise<Logs> {
  const { dir, mesh, log, now } = options;
  const logs = new PeerLogs(options, await RingStore.open({ dir, self: mesh.self, log, now }));
  mesh.serve(LOGS_SERVICE, (channel, from) => logs.serve(channel, from));
  serveNews(mesh, logs.board);
  return logs;
}

type Watched = { readonly sessions: Set<TailSession>; readonly unsubscribe: () => void };
type Channel = Parameters<Parameters<Mesh['serve']>[1]>[0];

class PeerLogs implements Logs {
  /** What other peers hear of this one's lines. */
  readonly board: NewsBoard;
  readonly #options: LogsOptions;
  readonly #rings: RingStore;
  readonly #tasks: Tasks;
  readonly #asker: NewsAsker;
  readonly #publishers = new Map<AppId, LogPublisher>();
  readonly #watched = new Map<AppId, Watched>();

  constructor(options: LogsOptions, rings: RingStore) {
    this.#options = options;
    this.#rings = rings;
    this.#tasks = new Tasks(options.log);
    this.board = new NewsBoard((app) => rings.ring(app)?.position ?? null);
    this.#asker = new NewsAsker({
      ...options,
      graceMs: options.checkMs ?? CHECK_MS,
      isWatching: () => this.#watched.size > 0,
      known: (peer) => this.#known(peer),
      onNews: (peer, app, reached) => this.#catchUp(peer, app, reached),
    });
  }

  append({ app, source, process, text, timeUs }: Parameters<Logs['append']>[0]): void {
    const time = timeUs ?? Math.floor(this.#options.now() * 1_000);
    for (const piece of splitText(text)) {
      const line = this.#rings.append({ app, timeUs: time, source, process, text: piece });
      if (line === null) return;
      this.#publisher(app).add(line);
      this.#deliver(app, this.#self, { boot: this.#rings.boot, seq: line.seq, lines: [toWireLine(line)] });
    }
    this.board.said(app);
  }

  async recent(
    app: AppId,
    lines: number,
    filter: LogFilter,
  ): Promise<{ lines: readonly LogLine[]; missing: readonly PeerId[] }> {
    const replies = await this.#collect({ app, lines, filter, after: null });
    const merged = mergeByTime([...replies.values()].map((reply) => reply?.lines ?? []));
    const missing = [...replies].filter(([, reply]) => reply === null).map(([peer]) => peer);
    return { lines: lines === 0 ? [] : merged.slice(-lines), missing };
  }

  async *tail(app: AppId, lines: number, filter: LogFilter, signal: AbortSignal): AsyncGenerator<LogItem> {
    if (signal.aborted) return;
    const session = this.#session(app, filter, this.#options.now() * 1_000);
    const onAbort = (): void => session.close();
    signal.addEventListener('abort', onAbort, { once: true });
    // Subscribed before the backlog is asked for: what comes meanwhile waits in the session.
    this.#watch(app, session);
    try {
      const replies = await this.#collect({ app, lines, filter, after: null });
      for (const [peer, reply] of replies) if (reply !== null) session.startAt(peer, reply.position);
      const backlog = mergeByTime([...replies.values()].map((reply) => reply?.lines ?? []));
      for (const line of lines === 0 ? [] : backlog.slice(-lines)) {
        if (signal.aborted) return;
        yield { line, boot: replies.get(line.peer)?.position.boot ?? 0 };
      }
      yield* this.#live(session);
    } finally {
      signal.removeEventListener('abort', onAbort);
      session.close();
      this.#unwatch(app, session);
    }
  }

  async *follow(
    app: AppId,
    from: ReadonlyMap<PeerId, LogPosition>,
    sinceUs: number,
    signal: AbortSignal,
  ): AsyncGenerator<LogItem> {
    if (signal.aborted) return;
    // Whole rings may come at once.
    const session = this.#session(app, {}, sinceUs, RING_BYTES_MAX);
    for (const [peer, position] of from) session.startAt(peer, position);
    const onAbort = (): void => session.close();
    signal.addEventListener('abort', onAbort, { once: true });
    // First in each peer's queue: what its ring holds comes before what it says from now on.
    for (const peer of this.#everybody()) this.#tasks.run('ask for log lines', () => session.check(peer));
    this.#watch(app, session);
    try {
      yield* this.#live(session);
    } finally {
      signal.removeEventListener('abort', onAbort);
      session.close();
      this.#unwatch(app, session);
    }
  }

  async *#live(session: TailSession): AsyncGenerator<LogItem> {
    this.#tasks.run('show log lines', () => session.goLive());
    for (let item = await session.next(); item !== null; item = await session.next()) yield item;
  }

  async remove(app: AppId): Promise<void> {
    this.#publishers.get(app)?.stop();
    this.#publishers.delete(app);
    await this.#rings.remove(app);
  }

  serve(channel: Channel, from: PeerId): void {
    this.#tasks.run('answer a log request', async () => {
      try {
        await answerLogs(channel, (request) => this.#answer(request));
      } catch (err) {
        // The asker left or is slow; it names us as missing.
        this.#options.log.debug({ peer: from, err }, 'log request not answered');
        channel.destroy();
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const publisher of this.#publishers.values()) publisher.stop();
    for (const { sessions } of this.#watched.values()) for (const session of sessions) session.close();
    this.board.close();
    await this.#asker.close();
    await this.#rings[Symbol.asyncDispose]();
    await this.#tasks.settled();
  }

  get #self(): PeerId {
    return this.#options.mesh.self;
  }

  #publisher(app: AppId): LogPublisher {
    const found = this.#publishers.get(app);
    if (found !== undefined) return found;
    const publisher = new LogPublisher(this.#options.mesh, app, this.#rings.boot);
    this.#publishers.set(app, publisher);
    return publisher;
  }

  /** This peer's lines and those of all that are alive; null for who did not answer. */
  async #collect(request: LogRequest): Promise<ReadonlyMap<PeerId, LogReply | null>> {
    const peers = this.#everybody();
    const replies = await Promise.all(peers.map((peer) => this.#ask(peer, request)));
    return new Map(peers.map((peer, index) => [peer, replies[index] ?? null]));
  }

  async #ask(peer: PeerId, request: LogRequest): Promise<LogReply | null> {
    if (peer === this.#self) return this.#answer(request);
    try {
      return await askForLogs(this.#options.mesh, peer, request, AbortSignal.timeout(ASK_MS_MAX));
    } catch (err) {
      this.#options.log.debug({ peer, app: request.app, err }, 'peer did not give its log lines');
      return null;
    }
  }

  #answer({ app, lines, filter, after }: LogRequest): LogReply {
    const ring = this.#rings.ring(app);
    const position: LogPosition = ring?.position ?? { boot: this.#rings.boot, seq: 0 };
    if (ring === null) return { lines: [], position };
    return { lines: after === null ? ring.last(lines, filter) : ring.after(after), position };
  }

  #everybody(): readonly PeerId[] {
    return [this.#self, ...this.#options.members().filter((peer) => peer !== this.#self)];
  }

  #session(app: AppId, filter: LogFilter, startedUs: number, queueBytesMax = QUEUE_BYTES_MAX): TailSession {
    const ask = (peer: PeerId, after: LogPosition | null): Promise<LogReply | null> =>
      this.#ask(peer, { app, lines: RING_LINES, filter: {}, after });
    return new TailSession({ app, filter, startedUs, queueBytesMax, ask });
  }

  #watch(app: AppId, session: TailSession): void {
    this.#asker.refresh();
    const watched = this.#watched.get(app);
    if (watched !== undefined) {
      watched.sessions.add(session);
      return;
    }
    const unsubscribe = this.#options.mesh.subscribe(logTopic(app), (from, data) => {
      const batch = parseBatch(data);
      if (batch === null) this.#options.log.debug({ peer: from, app }, 'log batch could not be read');
      else if (from !== this.#self) this.#deliver(app, from, batch);
    });
    this.#watched.set(app, { sessions: new Set([session]), unsubscribe });
  }

  #unwatch(app: AppId, session: TailSession): void {
    const watched = this.#watched.get(app);
    if (watched === undefined || !watched.sessions.delete(session) || watched.sessions.size > 0) return;
    watched.unsubscribe();
    this.#watched.delete(app);
    this.#asker.refresh();
  }

  #deliver(app: AppId, from: PeerId, batch: LogBatch): void {
    for (const session of this.#watched.get(app)?.sessions ?? []) {
      this.#tasks.run('show log lines', () => session.receive(from, batch));
    }
  }

  /** How far whoever watches an app here is in a peer's lines of it: the one that is farthest behind. */
  #known(peer: PeerId): Known {
    return new Map(
      [...this.#watched].map(([app, { sessions }]) => [
        app,
        [...sessions].map((session) => session.position(peer)).reduce(earlierOf),
      ]),
    );
  }

  /** What gossip did not bring by now is fetched. */
  async #catchUp(peer: PeerId, app: AppId, reached: LogPosition): Promise<void> {
    const behind = [...(this.#watched.get(app)?.sessions ?? [])].filter((session) => {
      const position = session.position(peer);
      return position === null || isLater(reached, position);
    });
    await Promise.all(behind.map((session) => session.check(peer)));
  }
}

function earlierOf(a: LogPosition | null, b: LogPosition | null): LogPosition | null {
  if (a === null || b === null) return null;
  return isLater(a, b) ? b : a;
}
