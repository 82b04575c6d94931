import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from '../../src/errors.ts';

/** RFC 8410: what DER puts before a raw Ed25519 seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** An Ed25519 public key in DER is 12 bytes of algorithm and 32 of key. */
const SPKI_BYTES = 44;

/** The certificate that the agent makes for its router beside the control socket. Public, like any certificate. */
export const certificatePath = (dir: string): string => join(dir, 'router', 'peer-cert.pem');

/** This peer's own Ed25519 private key, from the seed in DIR/key (64 hexadecimal digits). */
export function readPeerKey(dir: string): KeyObject {
  const path = join(dir, 'key');
  const hex = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/i.test(hex)) {
    throw new PlatformError(
      'internal',
      `Cannot read the peer's key from "${path}": no 64 hexadecimal digits in it`,
    );
  }
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(hex, 'hex')]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/** The raw Ed25519 public key of a certificate, as hex; null when it holds a key of another kind. */
export function rawKeyOf(certificate: X509Certificate | undefined): string | null {
  if (certificate === undefined || certificate.publicKey.asymmetricKeyType !== 'ed25519') return null;
  const spki = certificate.publicKey.export({ format: 'der', type: 'spki' });
  return spki.length === SPKI_BYTES ? spki.toString('hex', SPKI_BYTES - 32) : null;
}
