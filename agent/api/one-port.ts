import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { Logger } from 'pino';

export type TlsPair = { readonly key: string; readonly cert: string };

const TLS_HANDSHAKE = 0x16;
const RENDEZVOUS = 0x30; // '0': what attach secrets begin with, and no HTTP method does.
const FIRST_BYTE_WITHIN_MS = 30_000;

type Options = {
  readonly tls: () => TlsPair | null;
  readonly onRendezvous: (socket: TLSSocket) => void;
  readonly log: Logger;
};

/**
 * Lets an HTTP server speak TLS and the attach protocol on its one port as well: the first byte that a client sends
 * tells which it wants. Until the cluster's certificate is there, TLS is refused.
 */
export function serveOnePort(server: Server, { tls, onRendezvous, log }: Options): void {
  const [serveHttp] = server.listeners('connection');
  const context = secureContexts(tls, log);
  const onHttp = (socket: Socket): void => {
    serveHttp?.call(server, socket);
    socket.resume();
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    peek(socket, log, (first) => {
      if (first !== TLS_HANDSHAKE) {
        onHttp(socket);
        return;
      }
      const secureContext = context();
      if (secureContext === null) {
        socket.destroy();
        return;
      }
      const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
      peek(secure, log, (byte) => (byte === RENDEZVOUS ? onRendezvous(secure) : onHttp(secure)));
    });
  });
}

/** Calls `then` with the first byte that comes; the socket is paused, and has that byte yet to be read. */
function peek(socket: Socket, log: Logger, then: (first: number) => void): void {
  const onError = (err: Error): void => {
    log.debug({ err }, 'connection failed before its first request');
    socket.destroy();
  };
  const timer = setTimeout(() => socket.destroy(), FIRST_BYTE_WITHIN_MS);
  socket.on('error', onError);
  socket.once('close', () => clearTimeout(timer));
  socket.once('data', (chunk: Buffer) => {
    clearTimeout(timer);
    socket.pause();
    socket.unshift(chunk);
    // The listener stays for a TLS socket's carrier; whoever takes the socket adds its own.
    then(chunk[0] ?? 0);
  });
}

/** Gives the secure context of the current certificate, made once for each; null when there is none that works. */
function secureContexts(tls: () => TlsPair | null, log: Logger): () => SecureContext | null {
  let known: { readonly cert: string; readonly context: SecureContext | null } | null = null;
  return () => {
    const pair = tls();
    if (pair === null) return null;
    if (known?.cert !== pair.cert) known = { cert: pair.cert, context: contextOf(pair, log) };
    return known.context;
  };
}

function contextOf({ key, cert }: TlsPair, log: Logger): SecureContext | null {
  try {
    return createSecureContext({ key, cert, minVersion: 'TLSv1.2' });
  } catch (err) {
    log.error({ err }, 'certificate cannot be used');
    return null;
  }
}
