import { constants } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TlsOptions,
  type TLSSocket,
} from 'node:tls';
import type { PeerId } from '../../src/ids.ts';
import { certificatePath, rawKeyOf, readPeerKey } from './identity.ts';

// A resumed session would not show the certificate again: no tickets.
const PROTOCOL = { minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET } as const;

/**
 * Mutual TLS between routers. Certificates are self-signed, so that OpenSSL's own verdict says nothing: what counts
 * is that the other side proved, in the handshake, to hold a member's key. `peerOf` tells which.
 */
export class PeerTls {
  readonly #identity: { readonly key: string; readonly cert: string };
  readonly #context: SecureContext;
  /** Raw key (hex) to member. */
  #members: ReadonlyMap<string, PeerId> = new Map();

  constructor(dir: string) {
    this.#identity = {
      key: readPeerKey(dir).export({ format: 'pem', type: 'pkcs8' }).toString(),
      cert: readFileSync(certificatePath(dir), 'utf8'),
    };
    this.#context = createSecureContext({ ...this.#identity, ...PROTOCOL });
  }

  /** @param keys raw Ed25519 keys, as hex, of the members */
  setMembers(keys: Readonly<Record<string, PeerId>>): void {
    this.#members = new Map(Object.entries(keys));
  }

  /** The member at the other end; null for a stranger. */
  peerOf(socket: TLSSocket): PeerId | null {
    const key = rawKeyOf(socket.getPeerX509Certificate());
    return key === null ? null : (this.#members.get(key) ?? null);
  }

  serverOptions(): TlsOptions {
    return {
      ...this.#identity,
      ...PROTOCOL,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: 10_000,
      allowHalfOpen: true,
      noDelay: true,
    };
  }

  clientOptions(): ConnectionOptions {
    return {
      secureContext: this.#context,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    };
  }
}
