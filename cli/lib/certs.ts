import { readFile } from 'node:fs/promises';
import { coversName } from '../../src/covers-name.ts';
import type { DomainResource } from '../../src/platform/domain.ts';
import type { SniEndpointResource } from '../../src/platform/sni-endpoint.ts';
import { CliError, UsageError } from './line/cli-error.ts';
import { fileError } from './line/file-error.ts';
import type { Client } from './api/client.ts';
import type { Screen } from './print/screen.ts';
import { formatMoment } from './print/time.ts';

/** The two files of a certificate. */
export const PAIR_ARGS = {
  crt: { is: 'required', summary: 'PEM file: the certificate, then whoever issued it' },
  key: { is: 'required', summary: 'PEM file: its private key, without a passphrase' },
} as const;

/** Of the certificates of an app, or of one of them. */
export function certsPath(app: string, cert = ''): string {
  const path = `/apps/${encodeURIComponent(app)}/sni-endpoints`;
  return cert === '' ? path : `${path}/${encodeURIComponent(cert)}`;
}

export async function listCerts(api: Client, app: string): Promise<readonly SniEndpointResource[]> {
  return await api.get(certsPath(app), { range: 'name ..; max=1000;' });
}

/** The certificate that was named, or the only one there is. */
export async function findCert(
  api: Client,
  app: string,
  name: string | undefined,
): Promise<SniEndpointResource> {
  if (name !== undefined) return await api.get(certsPath(app, name));
  const [only, another] = await listCerts(api, app);
  if (only === undefined)
    throw new CliError(`${app} has no certificate`, { hint: 'Add one: kith certs:add CRT KEY' });
  if (another === undefined) return only;
  throw new UsageError(
    `${app} has more than one certificate`,
    'Say which with --name; `kith certs` lists them',
  );
}

/** What the API takes, from two PEM files. */
export async function readPair(
  certPath: string,
  keyPath: string,
): Promise<{ readonly certificate_chain: string; readonly private_key: string }> {
  return { certificate_chain: await readPem(certPath), private_key: await readPem(keyPath) };
}

export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/** Who vouches for it, as far as browsers are concerned. */
export function trustOf({ ssl_cert: cert }: SniEndpointResource): string {
  if (cert['self_signed?']) return 'nobody: it is self-signed';
  return cert['ca_signed?'] ? 'browsers know its authority' : 'only who trusts its authority';
}

export function printCert(
  screen: Screen,
  endpoint: SniEndpointResource,
  served: readonly string[],
  now: number,
): void {
  const { name, display_name: title, ssl_cert: cert } = endpoint;
  screen.heading(name);
  screen.line();
  screen.facts({
    'Display name': title ?? undefined,
    'Host names': cert.cert_domains.join(', '),
    Serves: served.join(', ') || 'no domain of this app yet',
    Subject: cert.subject,
    Issuer: cert.issuer,
    'Trusted by': trustOf(endpoint),
    Starts: formatMoment(cert.starts_at, now),
    Expires: cert.expires_at.slice(0, 10),
  });
}

/** The app's host names that a certificate may serve: those it was given to, and those it is for. */
export function servedBy(
  { id, ssl_cert: cert }: SniEndpointResource,
  domains: readonly DomainResource[],
): readonly string[] {
  return domains.flatMap(({ hostname, sni_endpoint: given }) => {
    const fits = cert.cert_domains.some((name) => name === hostname || coversName(name, hostname));
    return given?.id === id || (given === null && fits) ? [hostname] : [];
  });
}

export async function listDomains(api: Client, appPath: string): Promise<readonly DomainResource[]> {
  return await api.get(`${appPath}/domains`, { range: 'id ..; max=1000;' });
}
