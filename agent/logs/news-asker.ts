import type { Logger } from 'pino';
import { z } from 'zod';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { LogPosition } from '../../src/logs/position.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { pause } from '../lib/pause.ts';
import { callPeer, serveCalls } from '../lib/peer-call.ts';
import { Tasks } from '../lib/tasks.ts';
import type { Known, NewsBoard } from './news-board.ts';

const SERVICE = 'log-news';
/** A question waits for its answer so long: what is at rest is asked once in this time. */
const REST_MS = 60_000;
/** What an answer may take on its way. */
const ANSWER_MS = 5_000;

const position = z.object({ boot: z.int().nonnegative(), seq: z.int().nonnegative() });
const appId = z.uuid().transform((id) => id as AppId);
const questionShape = z.object({
  known: z.array(z.tuple([appId, position.nullable()])),
  withinMs: z.int().nonnegative().max(REST_MS),
});
const newsShape = z.array(z.tuple([appId, position]));

export type NewsAskerParts = {
  readonly mesh: Mesh;
  /** The other peers that are alive. */
  readonly members: () => readonly PeerId[];
  /** Whether any app is watched here. */
  readonly isWatching: () => boolean;
  /** All apps that are watched here, and how far in the lines of this peer. */
  readonly known: (peer: PeerId) => Known;
  /** A peer says that its lines of an app reach so far. */
  readonly onNews: (peer: PeerId, app: AppId, reached: LogPosition) => Promise<void>;
  /** How long gossip has before anybody looks for what it lost. */
  readonly graceMs: number;
  readonly log: Logger;
};

/**
 * Learns from every live peer that its lines of the apps watched here went on, in case gossip does not tell: by one question
 * for all apps, which the peer answers when there is something to say.
 */
export class NewsAsker {
  readonly #parts: NewsAskerParts;
  readonly #tasks: Tasks;
  readonly #asking = new Map<PeerId, AbortController>();
  #timer: NodeJS.Timeout | null = null;
  /** The questions that are under way name other apps than are watched now. */
  #isStale = false;

  constructor(parts: NewsAskerParts) {
    this.#parts = parts;
    this.#tasks = new Tasks(parts.log);
  }

  /** Other apps are watched than before. */
  refresh(): void {
    this.#isStale = true;
    this.#timer ??= setInterval(() => this.#look(), this.#parts.graceMs).unref();
  }

  async close(): Promise<void> {
    this.#rest();
    for (const stop of this.#asking.values()) stop.abort();
    await this.#tasks.settled();
  }

  /** Until other apps are watched. */
  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Asks whoever is alive and is not asked yet, or was asked for other apps. */
  #look(): void {
    const { members, isWatching } = this.#parts;
    const isAtRest = !isWatching();
    if (isAtRest) this.#rest();
    const wanted = new Set(isAtRest ? [] : members());
    for (const [peer, stop] of this.#asking) {
      if (wanted.has(peer) && !this.#isStale) continue;
      stop.abort();
      this.#asking.delete(peer);
    }
    this.#isStale = false;
    for (const peer of wanted) {
      if (this.#asking.has(peer)) continue;
      const stop = new AbortController();
      this.#asking.set(peer, stop);
      this.#tasks.run('ask for news of logs', () => this.#follow(peer, stop));
    }
  }

  async #follow(peer: PeerId, stop: AbortController): Promise<void> {
    try {
      await this.#askAgainAndAgain(peer, stop.signal);
    } catch (err) {
      if (!stop.signal.aborted) this.#parts.log.debug({ peer, err }, 'peer gave no news of logs');
    } finally {
      // The next look asks it again.
      if (this.#asking.get(peer) === stop) this.#asking.delete(peer);
    }
  }

  async #askAgainAndAgain(peer: PeerId, signal: AbortSignal): Promise<void> {
    const { mesh, known, onNews, graceMs } = this.#parts;
    // First where it is; from then on, when it goes on from there.
    for (let withinMs = 0; !signal.aborted; withinMs = REST_MS) {
      const question = { known: [...known(peer)], withinMs };
      const answer = await callPeer(mesh, peer, SERVICE, question, withinMs + ANSWER_MS, signal);
      if (withinMs > 0) await pause(graceMs, signal);
      await Promise.all(newsShape.parse(answer).map(([app, reached]) => onNews(peer, app, reached)));
    }
  }
}

/** Answers what the other peers ask. */
export function serveNews(mesh: Mesh, board: NewsBoard): void {
  serveCalls(mesh, SERVICE, (request, from) => {
    const { known, withinMs } = questionShape.parse(request);
    return board.ask(from, new Map(known), withinMs);
  });
}
