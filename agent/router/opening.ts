import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ClientTls } from './client-tls.ts';
import type { Timed } from './deadlines.ts';
import type { Connection, RouterCore } from './router-core.ts';

/** The first byte of a TLS record that holds a handshake. No HTTP method begins with it. */
const TLS_HANDSHAKE = 0x16;

/**
 * A client's connection until its first request can be read: the first byte tells whether it speaks TLS, and then comes
 * the handshake. Either has a limit, and so have handshakes all together.
 */
export class Opening implements Timed, Connection {
  dueAt: number;
  readonly #socket: Socket;
  readonly #core: RouterCore;
  readonly #tls: ClientTls;
  readonly #onOpen: (socket: Socket | null) => void;
  #secure: TLSSocket | null = null;
  #isDone = false;

  /** @param onOpen called once, with a socket that is paused; null when the client left, or was too slow */
  constructor(socket: Socket, core: RouterCore, tls: ClientTls, onOpen: (socket: Socket | null) => void) {
    this.#socket = socket;
    this.#core = core;
    this.#tls = tls;
    this.#onOpen = onOpen;
    this.dueAt = performance.now() + core.settings.headMs;
    core.deadlines.add(this);
    socket.on('error', ignore);
    socket.once('close', this.#onGone);
    socket.once('end', this.#onGone);
    socket.once('data', this.#onFirst);
  }

  get isIdle(): boolean {
    return this.#secure === null;
  }

  destroy(): void {
    this.#onGone();
  }

  onDue(): void {
    this.#onGone();
  }

  readonly #onFirst = (data: Buffer): void => {
    const socket = this.#socket;
    socket.pause();
    socket.unshift(data);
    socket.off('end', this.#onGone);
    if (data[0] === TLS_HANDSHAKE) this.#shakeHands();
    else this.#finish(socket);
  };

  #shakeHands(): void {
    const { settings, handshakes } = this.#core;
    // Whoever takes longest makes room: an honest handshake is over long before it is the oldest of so many.
    const [oldest] = handshakes;
    if (handshakes.size >= settings.handshakesMax) oldest?.destroy();
    handshakes.add(this);
    this.dueAt = performance.now() + settings.handshakeMs;
    const secure = this.#tls.wrap(this.#socket);
    this.#secure = secure;
    // What does not shake hands closes, and `close` is what counts: a stranger's noise is not worth a line.
    secure.on('error', ignore);
    secure.once('close', this.#onGone);
    // Nothing but the end can be read before the handshake is done: who leaves in its middle is let go at once.
    secure.once('end', this.#onGone);
    secure.resume();
    secure.once('secure', () => {
      secure.pause();
      this.#finish(secure);
    });
  }

  readonly #onGone = (): void => {
    if (this.#isDone) return;
    this.#finish(null);
    this.#secure?.destroy();
    this.#socket.destroy();
  };

  #finish(opened: Socket | null): void {
    this.#isDone = true;
    this.#core.deadlines.delete(this);
    this.#core.handshakes.delete(this);
    this.#socket.off('close', this.#onGone);
    this.#secure?.off('close', this.#onGone).off('end', this.#onGone);
    this.#onOpen(opened);
  }
}

function ignore(): void {
  // A broken connection closes, and `close` is what counts.
}
