import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import type { AppId, CertId } from '../../src/ids.ts';
import { chooseCertificate, type CertTable, type ServedCert } from '../../src/routing/choose-certificate.ts';
import { hostName, matchHost } from '../../src/routing/match-host.ts';
import type { RouteTable } from '../../src/routing/table.ts';

// Renegotiation is work for us at a client's word, and nothing needs it.
const PROTOCOL = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION } as const;
const NO_CERTS: CertTable = { certs: {}, ofDomains: {}, ofApps: {}, fallback: null };

/**
 * TLS towards clients: whom they ask for, by SNI, decides which certificate they see. A new table counts from the next
 * handshake on; connections that are open keep what they have.
 */
export class ClientTls {
  readonly #routes: () => RouteTable | null;
  #table = NO_CERTS;
  /** Made at the first handshake that needs them, by the text of their certificate. */
  #contexts = new Map<string, SecureContext | null>();
  #fallback = createSecureContext(PROTOCOL);

  constructor(routes: () => RouteTable | null) {
    this.#routes = routes;
  }

  setCerts(table: CertTable): void {
    const certs = Object.entries(table.certs) as [CertId, ServedCert][];
    const known = this.#table.certs;
    const kept = certs.map(([id, cert]) => [id, withKey(cert, known[id])] as const);
    this.#table = { ...table, certs: Object.fromEntries(kept) };
    const used = [
      ...kept.map(([, { cert }]) => cert),
      ...Object.values(table.ofApps).map(({ cert }) => cert),
    ];
    const stays = new Set(used);
    for (const cert of this.#contexts.keys()) if (!stays.has(cert)) this.#contexts.delete(cert);
    this.#fallback = contextOf(table.fallback) ?? createSecureContext(PROTOCOL);
  }

  /** The server's side of a handshake on a socket whose first bytes are yet to be read. */
  wrap(socket: Socket): TLSSocket {
    return new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#fallback,
      SNICallback: (name, done) => done(null, this.#contextFor(name) ?? this.#fallback),
      ALPNProtocols: ['http/1.1'],
    });
  }

  #contextFor(serverName: string): SecureContext | null {
    const name = hostName(serverName);
    const routes = this.#routes();
    const app = routes === null ? null : matchHost(routes, name);
    if (app === null) return null;
    const id = chooseCertificate(this.#table, app, name);
    return (id === null ? null : this.#context(this.#table.certs[id])) ?? this.#ownOf(app);
  }

  #ownOf(app: AppId): SecureContext | null {
    return Object.hasOwn(this.#table.ofApps, app) ? this.#context(this.#table.ofApps[app]) : null;
  }

  #context(pair: Pick<ServedCert, 'cert' | 'key'> | undefined): SecureContext | null {
    if (pair === undefined || pair.key === null) return null;
    const known = this.#contexts.get(pair.cert);
    if (known !== undefined) return known;
    const context = contextOf({ cert: pair.cert, key: pair.key });
    this.#contexts.set(pair.cert, context);
    return context;
  }
}

function withKey(cert: ServedCert, known: ServedCert | undefined): ServedCert {
  return cert.key === null && known?.cert === cert.cert ? known : cert;
}

/** Null for what OpenSSL does not take: the agent checks certificates before it keeps them, with an OpenSSL that may differ. */
function contextOf(pair: { readonly cert: string; readonly key: string } | null): SecureContext | null {
  if (pair === null) return null;
  try {
    return createSecureContext({ ...pair, ...PROTOCOL });
  } catch {
    console.error('A certificate cannot be used for TLS here');
    return null;
  }
}
