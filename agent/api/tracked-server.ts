import type { Server } from 'node:http';
import type { ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { AttachSessions } from './attach-sessions.ts';
import { attachByUpgrade } from './attach-upgrade.ts';

const CONNECTIONS_MAX = 4_096;
const CLOSE_WITHIN_MS = 5_000;
const CLOSE_IDLE_EVERY_MS = 20;

/** An HTTP server and all of its sockets, those that have become attaches included. */
export class TrackedServer {
  readonly #server: Server;
  readonly #log: Logger;
  readonly #sockets = new Set<Socket>();

  constructor(server: Server, attachSessions: AttachSessions, log: Logger) {
    this.#server = server;
    this.#log = log;
    server.maxConnections = CONNECTIONS_MAX;
    server.prependListener('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('upgrade', (message, socket, head) => attachByUpgrade(attachSessions, message, socket, head));
    server.on('clientError', onClientError);
  }

  /** @throws PlatformError `unavailable` when the place is taken */
  listen(where: ListenOptions): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const onError = (cause: Error): void => {
        const place = where.path ?? `${where.host}:${where.port}`;
        const options = { hint: 'Another agent may be running; choose another address or port', cause };
        reject(new PlatformError('unavailable', `Cannot listen on "${place}": ${cause.message}`, options));
      };
      server.once('error', onError);
      server.listen(where, () => {
        server.off('error', onError);
        // A connection that could not be accepted (no file descriptors left): others may still.
        server.on('error', (err) => this.#log.warn({ err }, 'connection not accepted'));
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    // Clients open connections ahead of need: those have no request, but are not known as idle either.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
    // The others become idle one by one, as their last requests end.
    const idle = setInterval(() => this.#server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    const patience = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, CLOSE_WITHIN_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(patience);
  }
}

/** What came was no HTTP. */
function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const body = JSON.stringify({ id: 'bad_request', message: 'Cannot read the request: it is no valid HTTP' });
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}
