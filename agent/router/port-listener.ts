import { createServer, type Server, type Socket } from 'node:net';

type Options = {
  readonly host: string;
  readonly number: number;
  readonly connectionsMax: number;
  readonly retryMs: number;
  /** Sockets come paused. */
  readonly onConnection: (socket: Socket) => void;
  /** A connection was closed at once: there are as many as may be. */
  readonly onDrop: () => void;
  readonly onChange: () => void;
};

/** Listens on one number, and tries again for as long as it cannot. */
export class PortListener {
  readonly #options: Options;
  #server: Server;
  #retryTimer: NodeJS.Timeout | undefined;
  isListening = false;
  /** Why it does not listen; null also before the first try has ended. */
  failure: string | null = null;

  constructor(options: Options) {
    this.#options = options;
    this.#server = this.#listen();
  }

  /** Takes no more connections; those that are there go on. */
  close(): void {
    clearTimeout(this.#retryTimer);
    this.#server.removeAllListeners();
    this.#server.on('error', () => {});
    this.#server.close();
  }

  #listen(): Server {
    const { host, number: port, connectionsMax, onConnection, onDrop, onChange } = this.#options;
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, onConnection);
    server.maxConnections = connectionsMax;
    server.on('drop', onDrop);
    server.on('listening', () => {
      this.isListening = true;
      this.failure = null;
      onChange();
    });
    server.on('error', (error: NodeJS.ErrnoException) => {
      // A connection that could not be accepted is gone; the listener is not.
      if (this.isListening) return;
      const reason = error.code === 'EADDRINUSE' ? 'another program uses this port' : error.message;
      const isNew = this.failure !== reason;
      this.failure = reason;
      this.#retryLater();
      if (isNew) onChange();
    });
    server.listen({ host, port, backlog: 1024, reusePort: isShared(host) });
    return server;
  }

  #retryLater(): void {
    const delayMs = this.#options.retryMs * (0.5 + Math.random());
    this.#retryTimer = setTimeout(() => (this.#server = this.#listen()), delayMs);
  }
}

/**
 * Peers that share an Engine share the gateway of its bridge: any of them serves any port. A loopback address is this peer's
 * alone, and must not be shared: dynos without a network of their own could take their part of the connections.
 */
function isShared(host: string): boolean {
  return !host.startsWith('127.');
}
