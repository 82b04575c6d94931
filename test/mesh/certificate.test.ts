import { randomBytes, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeCertificate, peerOfCertificate } from '../../agent/mesh/certificate.ts';
import { identityFromSeed } from '../../agent/mesh/identity.ts';

const someone = () => identityFromSeed(randomBytes(32));

test('a certificate says which peer made it', async () => {
  const identity = await someone();
  const { cert } = await makeCertificate(identity);
  expect(peerOfCertificate(new X509Certificate(cert))).toBe(identity.self);
});

test('a certificate that names a peer whose key did not sign it proves nothing', async () => {
  const [victim, thief] = [await someone(), await someone()];
  const { cert } = await makeCertificate({ ...thief, self: victim.self });
  expect(peerOfCertificate(new X509Certificate(cert))).toBeNull();
});

test('a certificate that was changed on its way proves nothing', async () => {
  const { raw } = new X509Certificate((await makeCertificate(await someone())).cert);
  const changed = Buffer.from(raw);
  // Its last byte belongs to the certificate's own signature.
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  expect(peerOfCertificate(new X509Certificate(changed))).toBeNull();
});
