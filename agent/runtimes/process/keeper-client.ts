import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PlatformError } from '../../../src/errors.ts';
import { onJsonLines, sendJson } from '../../lib/json-lines.ts';
import { KEEPER_PROTOCOL, type KeeperRecord, type Request } from '../keeper/protocol.ts';
import { readLine } from '../keeper/read-line.ts';

const ANSWER_MS_MAX = 30_000;

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };
export type KeeperEvent = Exclude<KeeperRecord, { tag: 'reply' | 'refused' | 'superseded' }>;

/** One connection to a keeper: requests with answers, and what it tells by itself. */
export class KeeperClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onEvent: (event: KeeperEvent) => void;
  #lastId = 0;
  #isSuperseded = false;

  /** @param onLost called once when the connection ends; with true when another agent took the keeper over */
  constructor(
    socket: Socket,
    onEvent: (event: KeeperEvent) => void,
    onLost: (isSuperseded: boolean) => void,
  ) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    // An error is followed by `close`, which tells all there is to tell.
    socket.on('error', () => {});
    socket.once('close', () => {
      const waiting = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const { reject } of waiting) reject(new Error('the keeper of this peer has ended'));
      onLost(this.#isSuperseded);
    });
    sendJson(socket, { tag: 'agent', protocol: KEEPER_PROTOCOL });
    onJsonLines(socket, (value) => this.#receive(value as KeeperRecord));
  }

  /** Resolves with the answer; rejects with the keeper's reason as message. */
  async request(request: Request): Promise<unknown> {
    const id = (this.#lastId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(
      () => reject(new Error(`the keeper did not answer within ${ANSWER_MS_MAX / 1000} s`)),
      ANSWER_MS_MAX,
    );
    this.#waiting.set(id, { resolve, reject });
    if (this.#socket.destroyed) reject(new Error('the keeper of this peer has ended'));
    else sendJson(this.#socket, { ...request, id });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(record: KeeperRecord): void {
    switch (record.tag) {
      case 'reply':
        this.#waiting.get(record.id)?.resolve(record.value);
        return;
      case 'refused':
        this.#waiting.get(record.id)?.reject(new Error(record.reason));
        return;
      case 'superseded':
        this.#isSuperseded = true;
        return;
      default:
        this.#onEvent(record);
    }
  }
}

/** The stdio of a one-off dyno, on a connection of its own: bytes both ways, with back-pressure. */
export async function attachToKeeper(socketPath: string, dyno: string, withinMs = 10_000): Promise<Duplex> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  socket.write(`${JSON.stringify({ tag: 'attach', dyno })}\n`);
  try {
    const answer = JSON.parse(await readLine(socket, 4_096, withinMs)) as { reason?: string };
    if (answer.reason !== undefined) throw new Error(answer.reason);
    return socket;
  } catch (cause) {
    socket.destroy();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PlatformError('conflict', `Cannot attach to dyno "${dyno}": ${reason}`, { cause });
  }
}
