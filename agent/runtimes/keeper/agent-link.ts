import type { Socket } from 'node:net';
import { sendJson } from '../../lib/json-lines.ts';
import type { KeptDyno } from './kept-dyno.ts';
import type { KeeperRecord, Told } from './protocol.ts';

const BATCH_BYTES = 32 * 1024;

type Follow = {
  readonly dyno: KeptDyno;
  /** Number of the last line that was sent. */ seq: number;
  started: boolean;
  listening: boolean;
  readonly exited: boolean;
};

/**
 * Tells one agent of its dynos, in order for each dyno: started, listening, output, exited. What waits to be told stays
 * in the dynos' rings and flags, so a slow agent costs no memory: its rings overflow, and it sees gaps.
 */
export class AgentLink {
  readonly #socket: Socket;
  readonly #follows = new Map<string, Follow>();
  #isBlocked = false;
  #isScheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => {
      this.#isBlocked = false;
      this.wake();
    });
  }

  send(record: KeeperRecord): void {
    if (!this.#socket.writable) return;
    if (!sendJson(this.#socket, record)) this.#isBlocked = true;
  }

  /** Follows a dyno from what the agent knows; `null` knows nothing yet, not even that it started. */
  follow(dyno: KeptDyno, told: Told | null): void {
    const { seq, listening, exited } = told ?? { seq: 0, listening: false, exited: false };
    this.#follows.set(dyno.id, { dyno, seq, started: told !== null, listening, exited });
    this.wake();
  }

  unfollow(dyno: string): void {
    this.#follows.delete(dyno);
  }

  /** Something may have changed. */
  wake(): void {
    if (this.#isScheduled || this.#isBlocked) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  close(): void {
    this.#follows.clear();
    this.#socket.destroy();
  }

  /** One batch of each dyno in turn, so that a loud one does not silence the others. */
  #pump(): void {
    let hasMore = true;
    while (hasMore) {
      hasMore = false;
      for (const follow of this.#follows.values()) {
        if (this.#isBlocked || !this.#socket.writable) return;
        hasMore = this.#advance(follow) || hasMore;
      }
    }
  }

  /** Tells the next thing of one dyno; false when there is none. */
  #advance(follow: Follow): boolean {
    const { dyno } = follow;
    if (!dyno.isStarted) return false;
    const { port, listening, host, exited } = dyno.record();
    if (!follow.started) {
      follow.started = true;
      this.send({ tag: 'started', dyno: dyno.id, port });
      return true;
    }
    if (listening && !follow.listening) {
      follow.listening = true;
      this.send({ tag: 'listening', dyno: dyno.id, host: host ?? null });
      return true;
    }
    const lines = dyno.ring.read(follow.seq + 1, BATCH_BYTES);
    const last = lines.at(-1);
    if (last !== undefined) {
      follow.seq = last[0];
      this.send({ tag: 'output', dyno: dyno.id, lines });
      return true;
    }
    if (exited === null) return false;
    this.#follows.delete(dyno.id);
    if (!follow.exited) this.send({ tag: 'exited', dyno: dyno.id, ...exited });
    return true;
  }
}
