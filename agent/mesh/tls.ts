import { constants } from 'node:crypto';
import { Socket } from 'node:net';
import { connect, createSecureContext, type TLSSocket, TLSSocket as ServerSocket } from 'node:tls';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import type {
  ComponentLogger,
  ConnectionEncrypter,
  MessageStream,
  PeerId as Libp2pPeerId,
  SecureConnectionOptions,
  SecuredConnection,
  StreamMuxerFactory,
  Upgrader,
} from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { type HandshakeCertificate, makeCertificate, peerOfCertificate } from './certificate.ts';
import { type Identity, rawKeyOf } from './identity.ts';
import { SecureStream } from './secure-stream.ts';

type Components = { readonly upgrader: Upgrader; readonly logger: ComponentLogger };

/** What libp2p's TCP connection keeps to itself. */
type TcpConnection = MessageStream & {
  readonly socket?: unknown;
  readonly readBuffer: { readonly byteLength: number; subarray(): Uint8Array; consume(bytes: number): void };
};

const ALPN_NONE = 'libp2p';
// A resumed session would not show the certificate again: no tickets.
const VERSION = { minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET } as const;

/**
 * libp2p's TLS, spoken by OpenSSL on the TCP socket itself. libp2p's own puts two JavaScript streams between the two,
 * and makes a certificate for each connection: that was half of what a message costs, and half of what a link costs.
 * @see https://github.com/libp2p/specs/blob/master/tls/tls.md
 */
export async function nativeTls(
  identity: Identity,
): Promise<(components: Components) => ConnectionEncrypter> {
  const certificate = await makeCertificate(identity);
  return (components) => new NativeTls(components, certificate);
}

class NativeTls implements ConnectionEncrypter {
  readonly protocol = '/tls/1.0.0';
  readonly #components: Components;
  readonly #options: object;

  constructor(components: Components, certificate: HandshakeCertificate) {
    this.#components = components;
    this.#options = {
      secureContext: createSecureContext({ ...certificate, ...VERSION }),
      // Certificates are self-signed: what counts is the peer's signature in them, and `peerOf` reads that.
      rejectUnauthorized: false,
    };
  }

  secureInbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    const muxers = this.#muxers(options);
    const ALPNCallback = ({ protocols }: { protocols: string[] }): string | undefined =>
      protocols.find((protocol) => muxers.has(protocol)) ?? protocols.find((one) => one === ALPN_NONE);
    const socket = new ServerSocket(takeSocket(connection), {
      ...this.#options,
      isServer: true,
      requestCert: true,
      ALPNCallback,
    });
    return secured(connection, socket, muxers, options);
  }

  secureOutbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    const muxers = this.#muxers(options);
    const ALPNProtocols = [...muxers.keys(), ALPN_NONE];
    const socket = connect({ ...this.#options, socket: takeSocket(connection), ALPNProtocols });
    return secured(connection, socket, muxers, options);
  }

  /** The muxer is chosen within the handshake, which spares two round trips. */
  #muxers(options: SecureConnectionOptions | undefined): ReadonlyMap<string, StreamMuxerFactory> {
    return options?.skipStreamMuxerNegotiation === true
      ? new Map()
      : this.#components.upgrader.getStreamMuxers();
  }
}

/** The socket below a connection, with what was read of it and not used yet put back. */
function takeSocket(connection: MessageStream): Socket {
  const { socket, readBuffer } = connection as TcpConnection;
  if (!(socket instanceof Socket)) throw new Error('TLS is spoken on TCP connections only');
  socket.removeAllListeners('data');
  socket.pause();
  if (readBuffer.byteLength > 0) {
    socket.unshift(readBuffer.subarray().slice());
    readBuffer.consume(readBuffer.byteLength);
  }
  return socket;
}

/** Waits for the handshake's end. Throws, and closes the connection, when it fails or the wrong peer answers. */
async function secured(
  connection: MessageStream,
  socket: TLSSocket,
  muxers: ReadonlyMap<string, StreamMuxerFactory>,
  options: SecureConnectionOptions | undefined,
): Promise<SecuredConnection> {
  const below = (connection as TcpConnection).socket as Socket;
  // A TCP handle that is reset while OpenSSL still holds it crashes Node: whoever ends the connection ends TLS first.
  below.resetAndDestroy = () => {
    socket.destroy();
    return below;
  };
  const signal = options?.signal;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(new Error('The TLS handshake took too long'));
  const onClose = (): void => reject(new Error('The connection closed during the TLS handshake'));
  signal?.addEventListener('abort', onAbort);
  socket.once('secure', resolve).once('close', onClose).on('error', reject);
  try {
    signal?.throwIfAborted();
    await promise;
    const remotePeer = peerOf(socket);
    if (options?.remotePeer?.equals(remotePeer) === false)
      throw new Error(`Another peer answers there: "${remotePeer.toString()}"`);
    const streamMuxer = typeof socket.alpnProtocol === 'string' ? muxers.get(socket.alpnProtocol) : undefined;
    return {
      remotePeer,
      connection: new SecureStream(connection, socket),
      ...(streamMuxer === undefined ? {} : { streamMuxer }),
    };
  } catch (error) {
    socket.destroy();
    connection.abort(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    socket.off('close', onClose);
  }
}

function peerOf(socket: TLSSocket): Libp2pPeerId {
  const certificate = socket.getPeerX509Certificate();
  const peer = certificate === undefined ? null : peerOfCertificate(certificate);
  const raw = peer === null ? null : rawKeyOf(peer);
  if (raw === null) throw new Error('The certificate of the other side proves no peer');
  return peerIdFromPublicKey(publicKeyFromRaw(raw));
}
