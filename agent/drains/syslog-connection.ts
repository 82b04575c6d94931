import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { DrainTarget } from '../../src/drain-url.ts';
import { trustedContext } from './certificates.ts';

export type SyslogTarget = Extract<DrainTarget, { readonly via: 'syslog' }>;

const CONNECT_MS = 10_000;
// Logplex gives a receiver as long.
const SEND_MS = 4_000;

/** A stream of frames to one receiver. Syslog over TCP says nothing back: what is known is that the stream still stands. */
export class SyslogConnection implements Disposable {
  readonly #socket: Socket;
  #failure: Error | null = null;
  #isOver = false;

  private constructor(socket: Socket, onOver: () => void) {
    this.#socket = socket;
    socket.on('error', (error) => (this.#failure ??= error));
    // Whatever comes is not for us; unread, it would keep the end of the stream from being seen.
    socket.resume();
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.#isOver = true;
        onOver();
      });
    }
  }

  /** @param onOver called when the receiver goes away. Rejects when there is no connection in time. */
  static async open(
    target: SyslogTarget,
    onOver: () => void,
    signal: AbortSignal,
  ): Promise<SyslogConnection> {
    const { host, port, isSecure } = target;
    signal.throwIfAborted();
    const socket = isSecure
      ? connectTls({
          host,
          port,
          secureContext: trustedContext(),
          ...(isIP(host) === 0 ? { servername: host } : {}),
        })
      : connectTcp({ host, port });
    const within = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(isSecure ? 'secureConnect' : 'connect', () => resolve());
        socket.once('error', reject);
        within.addEventListener('abort', () => reject(new Error('No connection in time')), { once: true });
      });
    } catch (error) {
      socket.on('error', () => {}); // It is given up.
      socket.destroy();
      throw error;
    }
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    return new SyslogConnection(socket, onOver);
  }

  /** Whether the receiver has gone. */
  get isOver(): boolean {
    return this.#isOver || this.#failure !== null;
  }

  /** Resolves when the kernel has taken all of it; rejects when it does not in time, or the receiver has gone. */
  async write(frames: string): Promise<void> {
    if (this.isOver) throw this.gone();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The receiver took nothing for ${SEND_MS} ms`)),
        SEND_MS,
      );
      const close = (): void => reject(this.gone());
      this.#socket.once('close', close);
      this.#socket.write(frames, (error) => {
        clearTimeout(timer);
        this.#socket.off('close', close);
        if (error == null) resolve();
        else reject(error);
      });
    });
  }

  /** Says that nothing follows. @returns whether the receiver has then closed as well, having read it all */
  async end(withinMs: number): Promise<boolean> {
    if (this.isOver) return false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve(this.#failure === null);
      });
      this.#socket.end();
    });
  }

  /** Why it is over. */
  gone(): Error {
    return this.#failure ?? new Error('The receiver has closed the connection');
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
