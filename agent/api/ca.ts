import { isIP } from 'node:net';
import { randomBytes, webcrypto } from 'node:crypto';
// The library's dependency injection needs it loaded first.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key, PEM. */
export type PemPair = { readonly certPem: string; readonly keyPem: string };

// Node's own WebCrypto is named in each call: libp2p's TLS sets another one as the library's default.
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 3_600_000;
const CA_DAYS = 20 * 365;
// The longest that all common TLS clients accept; an agent issues itself a new one at every start.
const LEAF_DAYS = 800;
// Peers' clocks differ: a certificate is good from a day before it was made.
const BACKDATED_MS = DAY_MS;

/** Makes the cluster's own certificate authority: `git` and the official CLI trust its certificate. */
export async function createClusterCa(): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const cert = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity(CA_DAYS),
      serialNumber: serialNumber(),
      name: `CN=Kith cluster CA ${randomBytes(4).toString('hex')}`,
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: cert.toString('pem'), keyPem: await exportKey(keys.privateKey) };
}

/**
 * A server certificate for one peer.
 * @param names host names and IP addresses (`DNS:` and `IP:` prefixes may be given); loopback is always among them,
 *   because the official CLI talks to nothing else
 */
export async function issueLeaf(ca: PemPair, names: readonly string[]): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(ca.certPem);
  const bare = names.map((name) => name.replace(/^(DNS|IP):/, ''));
  const all = [...new Set(['127.0.0.1', '::1', 'localhost', ...bare])];
  const cert = await x509.X509CertificateGenerator.create(
    {
      ...validity(LEAF_DAYS),
      serialNumber: serialNumber(),
      subject: 'CN=Kith peer',
      issuer: issuer.subject,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: await importKey(ca.keyPem),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          all.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: cert.toString('pem'), keyPem: await exportKey(keys.privateKey) };
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + days * DAY_MS) };
}

/** 128 random bits; the first is 0, for a serial number is positive. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = x509.PemConverter.decodeFirst(pem);
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}
