import { webcrypto, type X509Certificate } from 'node:crypto';
import 'reflect-metadata';
import { Extension, X509CertificateGenerator } from '@peculiar/x509';
import type { PeerId } from '../../src/ids.ts';
import { type Identity, isSignedBy, peerOfRawKey, PUBLIC_KEY_BYTES, rawKeyOf } from './identity.ts';

/** Key and certificate that a peer shows in every TLS handshake, PEM. */
export type HandshakeCertificate = { readonly key: string; readonly cert: string };

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const PREFIX = Buffer.from('libp2p-tls-handshake:');
const EXTENSION = '1.3.6.1.4.1.53594.1.1';
const EXTENSION_DER = Buffer.from('060a2b0601040183a25a0101', 'hex');
/** SEQUENCE of two OCTET STRINGs: a protobuf {type: Ed25519, data} of 36 bytes and a signature of 64. */
const SIGNED_KEY_DER = Buffer.from('046a3068042408011220', 'hex');
const SIGNATURE_DER = Buffer.from('0440', 'hex');
const CRITICAL_DER = Buffer.from('0101ff', 'hex');
const SIGNATURE_BYTES = 64;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

/**
 * A self-signed certificate of a fresh key, and in it the peer's signature over that key: whoever holds the fresh key
 * speaks for the peer. One serves for all connections of a process.
 * @see https://github.com/libp2p/specs/blob/master/tls/tls.md
 */
export async function makeCertificate(identity: Identity): Promise<HandshakeCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey));
  const signature = identity.sign(Buffer.concat([PREFIX, spki]));
  const raw = rawKeyOf(identity.self);
  if (raw === null) throw new Error(`"${identity.self}" is not the id of an Ed25519 key`);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      notBefore: new Date(now - HOUR_MS),
      notAfter: new Date(now + 100 * YEAR_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new Extension(
          EXTENSION,
          true,
          Buffer.concat([SIGNED_KEY_DER.subarray(2), raw, SIGNATURE_DER, signature]),
        ),
      ],
    },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
  return { key, cert: certificate.toString('pem') };
}

/**
 * Whose certificate this is; null when it proves nothing. TLS has proven that the other side holds the certificate's
 * key; the signature in it says for whom. Dates are not looked at: a peer with a wrong clock is still that peer.
 */
export function peerOfCertificate(certificate: X509Certificate): PeerId | null {
  const bytes = certificate.raw;
  const found = bytes.indexOf(EXTENSION_DER);
  if (found < 0 || !certificate.verify(certificate.publicKey)) return null;
  let at = found + EXTENSION_DER.length;
  const take = (count: number): Buffer => bytes.subarray(at, (at += count));
  if (bytes.subarray(at).indexOf(CRITICAL_DER) === 0) at += CRITICAL_DER.length;
  if (!take(SIGNED_KEY_DER.length).equals(SIGNED_KEY_DER)) return null;
  const peer = peerOfRawKey(take(PUBLIC_KEY_BYTES));
  if (!take(SIGNATURE_DER.length).equals(SIGNATURE_DER)) return null;
  const signature = take(SIGNATURE_BYTES);
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return isSignedBy(peer, Buffer.concat([PREFIX, spki]), signature) ? peer : null;
}
