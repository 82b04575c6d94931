import type { Connection, ConnectionGater, Stream, StreamHandler } from '@libp2p/interface';
import type { PeerId } from '../../src/ids.ts';
import { abortQuietly } from './abort.ts';

/** Strangers connected at one time, all of them together; more are turned away right after the handshake. */
const STRANGERS_MAX = 16;
/** A stranger that has not joined by then is disconnected. */
const STRANGER_MS = 60_000;

type Registrar = {
  handle(protocol: string, handler: StreamHandler, options?: Record<string, unknown>): Promise<void>;
};

/**
 * Who may speak. The gater turns strangers away once their key is proven, but for a few that may come to join; every
 * handler looks again. A connection that was opened as a stranger's stays one: a peer that was just admitted
 * dials anew, so that no handler ever meets a connection half in and half out.
 */
export class Gate {
  #members: ReadonlySet<string> = new Set();
  /** Members that we are about to ask for admission, with how many calls want them. */
  readonly #joinTargets = new Map<string, number>();
  readonly #strangers = new Map<string, NodeJS.Timeout | null>();

  setMembers(members: Iterable<PeerId>): void {
    this.#members = new Set(members);
  }

  isMember(peer: string): boolean {
    return this.#members.has(peer);
  }

  /** Whether this connection may carry anything but the join protocol. */
  admits(connection: Connection): boolean {
    return this.isMember(connection.remotePeer.toString()) && !this.#strangers.has(connection.id);
  }

  /** Lets us dial a peer that is no member of ours, until the disposer is called. */
  allowDial(peer: string): Disposable {
    this.#joinTargets.set(peer, (this.#joinTargets.get(peer) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#joinTargets.get(peer) ?? 1) - 1;
        if (left === 0) this.#joinTargets.delete(peer);
        else this.#joinTargets.set(peer, left);
      },
    };
  }

  /** To be told of each opened connection, before any of its streams is handled. True for a stranger's. */
  admitConnection(connection: Connection): boolean {
    if (this.isMember(connection.remotePeer.toString())) return false;
    // Outbound ones are ours: whoever dialled to join bounds them.
    const deadline =
      connection.direction === 'inbound'
        ? setTimeout(() => abortQuietly(connection, 'A stranger stayed too long'), STRANGER_MS).unref()
        : null;
    this.#strangers.set(connection.id, deadline);
    connection.addEventListener('close', () => {
      clearTimeout(deadline ?? undefined);
      this.#strangers.delete(connection.id);
    });
    return true;
  }

  connectionGater(): ConnectionGater {
    const isForeign = (peer: { toString(): string }): boolean =>
      !this.isMember(peer.toString()) && !this.#joinTargets.has(peer.toString());
    return {
      denyDialPeer: isForeign,
      denyOutboundEncryptedConnection: isForeign,
      denyInboundEncryptedConnection: (peer) => isForeign(peer) && this.#strangers.size >= STRANGERS_MAX,
    };
  }

  /** A handler that only members reach. */
  guard(handler: StreamHandler): StreamHandler {
    return (stream: Stream, connection: Connection) => {
      if (this.admits(connection)) return handler(stream, connection);
      abortQuietly(stream, 'This peer is no member');
      return undefined;
    };
  }

  /**
   * The components that a libp2p service sees, with a registrar whose handlers are guarded. libp2p's own hook for
   * this, `use(protocol, middleware)`, adds the handler to the middleware's list at every stream (3.3.11), so that
   * the n-th stream is handled n times.
   */
  guardComponents<C extends { readonly registrar: object }>(components: C): C {
    const guard = this.guard.bind(this);
    const registrar = new Proxy(components.registrar as Registrar, {
      get(target, name) {
        if (name === 'handle') {
          const handle: Registrar['handle'] = (protocol, handler, options) =>
            target.handle(protocol, guard(handler), options);
          return handle;
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return new Proxy(components, {
      get: (target, name) => (name === 'registrar' ? registrar : (Reflect.get(target, name) as unknown)),
    });
  }
}
