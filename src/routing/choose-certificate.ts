import { coversName } from '../covers-name.ts';
import type { AppId, CertId } from '../ids.ts';
import { matchDomain } from './match-host.ts';

/** PEM: a certificate with its chain, and its private key. */
export type TlsPair = { readonly cert: string; readonly key: string };

export type ServedCert = {
  readonly app: AppId;
  /** Host names it is for, lower case: `www.example.com`, `*.example.com`. */
  readonly names: readonly string[];
  readonly cert: string;
  /** Null: the agent cannot open it just now; a router that has it already goes on with it. */
  readonly key: string | null;
};

/**
 * What a router needs to speak TLS; sent whole, newest wins. It holds private keys in clear, so it is in the memory of
 * agent and router and on the socket between them, and nowhere else.
 */
export type CertTable = {
  /** What users added; of one app, those that are good for longest come first. */
  readonly certs: Readonly<Record<CertId, ServedCert>>;
  /** By domain: the certificate that it was given. */
  readonly ofDomains: Readonly<Record<string, CertId>>;
  /** The cluster's own for each app's names in the cluster. */
  readonly ofApps: Readonly<Record<AppId, TlsPair>>;
  /** The cluster's own for all other names. */
  readonly fallback: TlsPair | null;
};

/**
 * The certificate of an app that a client is shown who asks for `name`: the one that the domain was given if it fits,
 * else one for exactly this name, else a wildcard's. Where none fits it is the domain's in spite of that, for its
 * owner said so.
 * @param name lower case
 * @returns null: the cluster's own
 */
export function chooseCertificate(table: CertTable, app: AppId, name: string): CertId | null {
  // The nearest wildcard's certificate may be another app's.
  const given = matchDomain(table.ofDomains, name);
  const isOurs = given !== null && table.certs[given]?.app === app;
  const isFit = (id: CertId, covers: (pattern: string) => boolean): boolean =>
    table.certs[id]?.names.some(covers) ?? false;
  if (isOurs && isFit(given, (pattern) => coversName(pattern, name))) return given;
  const ids = (Object.keys(table.certs) as CertId[]).filter((id) => table.certs[id]?.app === app);
  return (
    ids.find((id) => isFit(id, (pattern) => pattern === name)) ??
    ids.find((id) => isFit(id, (pattern) => coversName(pattern, name))) ??
    (isOurs ? given : null)
  );
}
