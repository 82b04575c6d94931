import { X509Certificate, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { certificatePath, rawKeyOf, readPeerKey } from './identity.ts';

/**
 * Makes sure that the router finds a self-signed certificate of this peer's own key. The agent makes it, because
 * loading the X.509 library would cost the router a third of its memory.
 */
export async function ensureCertificate(dir: string): Promise<void> {
  const privateKey = readPeerKey(dir);
  const path = certificatePath(dir);
  if (await isFor(path, privateKey)) return;
  const pem = await selfSign(privateKey);
  await writeFile(`${path}.new`, pem, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function isFor(path: string, privateKey: KeyObject): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(path));
    return rawKeyOf(certificate) !== null && certificate.checkPrivateKey(privateKey);
  } catch {
    return false; // Missing or damaged: it is made anew.
  }
}

/** Nobody looks at names and dates: each side compares the raw key with the member list. */
async function selfSign(privateKey: KeyObject): Promise<string> {
  await import('reflect-metadata');
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  const algorithm = { name: 'Ed25519' };
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  // Node's own WebCrypto is named here: libp2p's TLS sets another one as the library's default.
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: 'CN=kith-peer',
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('9999-12-31T23:59:59Z'),
      signingAlgorithm: algorithm,
      keys: {
        privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
        publicKey: await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
      },
    },
    crypto,
  );
  return certificate.toString('pem');
}
