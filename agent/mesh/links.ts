import { randomUUID } from 'node:crypto';
import type { Connection, Stream } from '@libp2p/interface';
import type { Logger } from 'pino';
import type { PeerId } from '../../src/ids.ts';
import type { Tasks } from '../lib/tasks.ts';
import { abortQuietly } from './abort.ts';
import { Control } from './control.ts';
import { PROTOCOL, SETUP_MS, STREAMS_MAX } from './protocols.ts';

/** A link this long without a byte is asked for a sign of life, and given up a little later. */
const QUIET_MS = 20_000;
const SILENT_MS = 30_000;
/** What a link has to answer when a second connection wants its place. */
const CHALLENGE_MS = 3_000;

/** One pair's one control stream, and the connection that all its other streams use. */
export type Link = { readonly peer: PeerId; readonly connection: Connection; readonly control: Control };

type Candidate = Link & { session: string | null; isPinged: boolean };

export type LinkHandlers = {
  onUp(link: Link): void;
  onDown(link: Link): void;
  onMessage(from: PeerId, message: Uint8Array): void;
  /** A connection ended, link or not. */
  onConnectionClosed(peer: PeerId): void;
};

/**
 * At most one link per peer. Whoever dialled a connection opens a control stream on it and both sides say hello;
 * which connection becomes the link is decided by the peer with the lower id alone, so that two who dial each
 * other at the same moment never close both. Of two connections the first stays if it still answers, unless the newcomer's
 * hello names another session: then the other process is a new one, and the old link only looks alive.
 */
export class Links {
  readonly #self: PeerId;
  readonly #session = randomUUID();
  readonly #handlers: LinkHandlers;
  readonly #tasks: Tasks;
  readonly #log: Logger;
  readonly #links = new Map<PeerId, Candidate>();
  /** Connections that carry a control stream, by connection id: links and those that may become one. */
  readonly #candidates = new Map<string, Candidate>();

  constructor(self: PeerId, handlers: LinkHandlers, tasks: Tasks, log: Logger) {
    this.#self = self;
    this.#handlers = handlers;
    this.#tasks = tasks;
    this.#log = log;
  }

  get(peer: PeerId): Link | undefined {
    return this.#links.get(peer);
  }

  all(): readonly Link[] {
    return [...this.#links.values()];
  }

  /** Takes charge of a member's new connection: it becomes a link within SETUP_MS, or is closed. */
  adoptConnection(connection: Connection): void {
    const peer = connection.remotePeer.toString() as PeerId;
    const deadline = setTimeout(() => this.#giveUp(connection, peer), SETUP_MS).unref();
    connection.addEventListener('close', () => {
      clearTimeout(deadline);
      this.#handlers.onConnectionClosed(peer);
    });
    if (connection.direction !== 'outbound') return;
    this.#tasks.run('open control stream', async () => {
      try {
        const stream = await connection.newStream(PROTOCOL.control, {
          signal: AbortSignal.timeout(SETUP_MS),
          maxOutboundStreams: STREAMS_MAX,
        });
        this.#candidate(stream, connection).control.hello(this.#session);
      } catch (err) {
        // The other side does not know us as a member yet, or is closing: the dialer tries again.
        this.#log.debug({ peer, err }, 'control stream refused');
        abortQuietly(connection, 'No control stream');
      }
    });
  }

  /** The handler of the control protocol; members only get here. */
  handleControl(stream: Stream, connection: Connection): void {
    if (connection.direction !== 'inbound' || this.#candidates.has(connection.id)) {
      abortQuietly(stream, 'One control stream per connection, opened by its dialler');
      return;
    }
    this.#candidate(stream, connection);
  }

  /** Closes whatever leads to this peer. */
  drop(peer: PeerId, reason: string): void {
    for (const candidate of this.#candidates.values())
      if (candidate.peer === peer) this.#retire(candidate, reason);
  }

  /** Tests quiet links and gives up silent ones; to be called every few seconds. */
  checkSilence(now: number): void {
    for (const link of this.#links.values()) {
      const quietMs = now - link.control.receivedAt;
      if (quietMs < QUIET_MS) {
        link.isPinged = false;
      } else if (!link.isPinged) {
        link.isPinged = true;
        link.control.ping();
      } else if (quietMs >= SILENT_MS) {
        this.#log.warn({ peer: link.peer, quietMs: Math.round(quietMs) }, 'link silent, closing it');
        this.#retire(link, 'The link fell silent');
      }
    }
  }

  #candidate(stream: Stream, connection: Connection): Candidate {
    const peer = connection.remotePeer.toString() as PeerId;
    const candidate: Candidate = {
      peer,
      connection,
      session: null,
      isPinged: false,
      control: new Control(stream, {
        onHello: (session) => this.#onHello(candidate, session),
        onUse: () => {
          if (peer < this.#self && candidate.session !== null) this.#promote(candidate);
        },
        onMessage: (message) => {
          if (this.#links.get(peer) === candidate) this.#deliver(peer, message);
        },
        onClose: () => this.#retire(candidate, 'The control stream closed'),
      }),
    };
    this.#candidates.set(connection.id, candidate);
    return candidate;
  }

  #onHello(candidate: Candidate, session: string): void {
    if (candidate.session !== null) return;
    candidate.session = session;
    if (candidate.connection.direction === 'inbound') candidate.control.hello(this.#session);
    if (this.#self < candidate.peer) this.#tasks.run('choose link', () => this.#choose(candidate));
  }

  /** The lower id's decision. */
  async #choose(candidate: Candidate): Promise<void> {
    const current = this.#links.get(candidate.peer);
    if (current !== undefined && current.session === candidate.session) {
      const isAlive = await current.control.isAlive(CHALLENGE_MS);
      if (isAlive && this.#links.get(candidate.peer) === current) {
        this.#retire(candidate, 'Another connection is the link');
        return;
      }
    }
    if (this.#candidates.get(candidate.connection.id) !== candidate) return;
    candidate.control.use();
    this.#promote(candidate);
  }

  #promote(candidate: Candidate): void {
    const current = this.#links.get(candidate.peer);
    if (current === candidate) return;
    if (current !== undefined) this.#retire(current, 'A newer connection replaces it');
    this.#links.set(candidate.peer, candidate);
    this.#handlers.onUp(candidate);
  }

  #retire(candidate: Candidate, reason: string): void {
    const { peer, connection } = candidate;
    if (this.#candidates.get(connection.id) !== candidate) return;
    this.#candidates.delete(connection.id);
    const wasLink = this.#links.get(peer) === candidate;
    if (wasLink) this.#links.delete(peer);
    candidate.control.abort(new Error(reason));
    abortQuietly(connection, reason);
    if (wasLink) this.#handlers.onDown(candidate);
  }

  #giveUp(connection: Connection, peer: PeerId): void {
    if (this.#links.get(peer)?.connection === connection) return;
    // A member that lost the answer to its join request asks again: gate.ts bounds such connections.
    if (connection.streams.some(({ protocol }) => protocol === PROTOCOL.join)) return;
    this.#log.debug({ peer }, 'connection did not become a link');
    abortQuietly(connection, 'The connection did not become a link');
  }

  #deliver(peer: PeerId, message: Uint8Array): void {
    try {
      this.#handlers.onMessage(peer, message);
    } catch (err) {
      this.#log.error({ peer, err }, 'frame handler failed');
    }
  }
}
