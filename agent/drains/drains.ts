import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { DRAIN_URL_KEY } from '../../src/drain-url.ts';
import type { AppId, DrainId, PeerId } from '../../src/ids.ts';
import { drainOfDuty, type FoundDrain } from '../../src/ledger/drains/drain-duties.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import { toRows } from '../../src/logs/drain-cursor.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { callPeer, serveCalls } from '../lib/peer-call.ts';
import { carryDrain } from './carrier.ts';
import { DrainCursors } from './drain-cursors.ts';
import { FINISH_MS, type Patience } from './sender.ts';

const SERVICE = 'drain';
/** Who carries a drain answers, though what is under way has not arrived, before the asker gives up. */
const ANSWER_BEFORE_MS = 500;
const TELL_MS = 1_000;

const questionShape = z.object({ drain: z.uuid() });

export type DrainsParts = {
  /** `drain-cursors.json` in the data directory. */
  readonly path: string;
  readonly mesh: Mesh;
  readonly logs: Logs;
  /** The drain of an id, while it is there. */
  readonly find: (drain: DrainId) => FoundDrain | null;
  /** Opens a sealed value of an app; throws without the key. */
  readonly open: (app: AppId, key: string, sealed: Uint8Array) => string;
  /** The other peers that are alive. */
  readonly others: () => readonly PeerId[];
  readonly log: Logger;
} & Patience;

type Carried = { readonly stop: AbortController; readonly ended: Promise<void> };

/** The drains that are this peer's to carry. */
export class Drains implements AsyncDisposable {
  readonly #parts: DrainsParts;
  /** The others get so long to say how far a drain has got; the one that carries it finishes what is under way. */
  readonly #askMs: number;
  readonly #cursors: DrainCursors;
  readonly #carried = new Map<DrainId, Carried>();

  constructor(parts: DrainsParts) {
    this.#parts = parts;
    this.#askMs = 2 * (parts.finishMs ?? FINISH_MS);
    const exists = (drain: DrainId): boolean => parts.find(drain) !== null;
    this.#cursors = new DrainCursors({ ...parts, exists });
    serveCalls(parts.mesh, SERVICE, (request) => this.#answer(request));
  }

  /** Carries one drain until `signal` aborts: the worker of the duty. Rejects when it cannot. */
  async work(duty: Duty, signal: AbortSignal): Promise<void> {
    const drain = drainOfDuty(duty);
    // Ours before, and ended a moment ago.
    await this.#carried.get(drain)?.ended;
    await this.#claim(drain);
    while (!signal.aborted) {
      const found = this.#parts.find(drain);
      if (found === null) return;
      // Somebody asked for it, who takes it for his: who is right will show.
      if (await this.#carry(found, signal)) return;
    }
  }

  /** @returns whether another peer has claimed it */
  async #carry({ app, drain }: FoundDrain, signal: AbortSignal): Promise<boolean> {
    const { logs, log, open, find, answerMs, finishMs } = this.#parts;
    const { token, createdAt } = drain;
    const url = open(app.id, DRAIN_URL_KEY, drain.url);
    const stop = new AbortController();
    const changed = new AbortController();
    const watch = setInterval(() => {
      this.#cursors.tell(drain.id);
      if (find(drain.id)?.drain.url !== drain.url) changed.abort();
    }, TELL_MS).unref();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#carried.set(drain.id, { stop, ended });
    try {
      const cursor = this.#cursors.of(drain.id);
      const until = AbortSignal.any([signal, stop.signal, changed.signal]);
      log.info({ app: app.id, drain: drain.id }, 'drain carried');
      const carried = { app: app.id, url, token, createdAt };
      await carryDrain(carried, { logs, cursor, answerMs, finishMs, log }, until);
    } finally {
      clearInterval(watch);
      this.#cursors.tell(drain.id);
      this.#carried.delete(drain.id);
      log.info({ app: app.id, drain: drain.id }, 'drain left');
      end();
    }
    return stop.signal.aborted;
  }

  /** Learns from all how far the drain has got. Whoever carries it ends that: to ask is to say that one carries it now. */
  async #claim(drain: DrainId): Promise<void> {
    const { mesh, others, log } = this.#parts;
    await Promise.all(
      others().map(async (peer) => {
        try {
          this.#cursors.merge(drain, await callPeer(mesh, peer, SERVICE, { drain }, this.#askMs));
        } catch (err) {
          log.debug({ peer, drain, err }, 'peer did not say how far a drain has got');
        }
      }),
    );
  }

  async #answer(request: unknown): Promise<unknown> {
    const drain = questionShape.parse(request).drain as DrainId;
    if (this.#parts.find(drain) === null) return [];
    const carried = this.#carried.get(drain);
    carried?.stop.abort();
    await Promise.race([carried?.ended, sleep(this.#askMs - ANSWER_BEFORE_MS, undefined, { ref: false })]);
    return toRows(this.#cursors.of(drain).positions);
  }

  /** The duties have been taken away before. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#carried.values()].map(({ ended }) => ended));
    this.#cursors[Symbol.dispose]();
  }
}
