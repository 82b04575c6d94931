import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkCertificate } from '../../src/platform/certificate.ts';
import { certificateFor, testAuthority } from '../helpers/certificates.ts';

const NOW = Date.now();
const YEARS_MS = 365 * 24 * 3_600_000;
const { cert, key, ca } = await certificateFor('www.example.com', '*.Example.com');
const leaf = cert.slice(0, cert.indexOf('-----END CERTIFICATE-----') + 26);
const other = await certificateFor('other.example.com');

test('a certificate is read with its names, its times and its chain', () => {
  const { facts, chain, chainPem, keyPem } = checkCertificate(cert, key, NOW);
  expect(facts.names).toEqual(['localhost', 'www.example.com', '*.example.com']);
  expect(facts.startsAt).toBeLessThan(NOW);
  expect(facts.expiresAt).toBeGreaterThan(NOW + YEARS_MS);
  expect(facts.subject).toBe('/CN=Kith peer');
  expect(facts.issuer).toMatch(/^\/CN=Kith cluster CA /);
  expect(chain).toHaveLength(2);
  expect(checkCertificate(chainPem, keyPem, NOW).facts).toEqual(facts);
});

test('what stands around the blocks is not kept, whatever ends its lines', () => {
  const noted = `subject=/CN=x\r\n${cert.replaceAll('\n', '\r\n')}\r\ntrailing words`;
  expect(checkCertificate(noted, `a comment\n${key}`, NOW).chainPem).toBe(
    checkCertificate(cert, key, NOW).chainPem,
  );
});

test('a chain may be left out', () => {
  expect(checkCertificate(leaf, key, NOW).chain).toHaveLength(1);
});

test('keys are taken in each of their forms', () => {
  const sec1 = createPrivateKey(key).export({ format: 'pem', type: 'sec1' }).toString();
  const withParameters = `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1}`;
  expect(checkCertificate(cert, withParameters, NOW).keyPem).toBe(checkCertificate(cert, key, NOW).keyPem);
});

const encrypted = createPrivateKey(key)
  .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' })
  .toString();
const legacy =
  '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----';
const short = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  .privateKey.export({ format: 'pem', type: 'pkcs8' })
  .toString();
const long = generateKeyPairSync('rsa', { modulusLength: 4_104 })
  .privateKey.export({ format: 'pem', type: 'pkcs8' })
  .toString();
const damaged = leaf.replace(/\n[^\n]{20}/, '\nAAAA');

test.for([
  ['no PEM at all', 'hello', key, /found no PEM certificate/],
  ['an empty chain', '', key, /found no PEM certificate/],
  ['the key among the certificates', cert + key, key, /a private key is among the certificates/],
  [
    'a request for a certificate',
    leaf.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'),
    key,
    /found a "CERTIFICATE REQUEST"/,
  ],
  ['a damaged certificate', damaged, key, /certificate 1 of 1 is damaged/],
  ['a chain without end', leaf.repeat(11), key, /more than 10/],
  ['no key', cert, 'hello', /found no PEM private key/],
  ['the certificate for a key', cert, leaf, /found a "CERTIFICATE", not a private key/],
  ['two keys', cert, key + key, /more than one private key/],
  ['an encrypted key', cert, encrypted, /the private key is encrypted/],
  ['a key that is encrypted in the old way', cert, legacy, /the private key is encrypted/],
  ['a damaged key', cert, key.replace(/\n[^\n]{20}/, '\nAAAA'), /the private key is damaged/],
  ['a short key', cert, short, /1024 bits, fewer than 2048/],
  ['a key that is work for every router', cert, long, /4104 bits, more than 4096/],
  ['what only begins', '-----BEGIN A-----'.repeat(3_000), key, /more than 50 PEM blocks/],
  ['the key of another certificate', cert, other.key, /the private key is of another certificate/],
  ['a chain upside down', ca + leaf, key, /the private key is that of certificate 2 of 2/],
  [
    'a chain with a stranger in it',
    leaf + other.cert,
    key,
    /certificate 2 of 3.* did not issue the one before it/,
  ],
] as const)('%s is refused', ([, chain, keyText, message]) => {
  expect(() => checkCertificate(chain, keyText, NOW)).toThrow(message);
});

test('an expired certificate is refused, and says when that was', () => {
  expect(() => checkCertificate(cert, key, NOW + 10 * YEARS_MS)).toThrow(/it expired at 20\d\d-/);
});

test('no refusal repeats any of the key', () => {
  for (const text of [encrypted, other.key, short, key + key, key.replace(/\n[^\n]{20}/, '\nAAAA')]) {
    try {
      checkCertificate(cert, text, NOW);
      expect.unreachable();
    } catch (error) {
      const said = JSON.stringify(error, Object.getOwnPropertyNames(error));
      for (const line of text.split('\n').filter((each) => each.length > 30 && !each.startsWith('-----')))
        expect(said).not.toContain(line);
    }
  }
});

test("the authority's own certificate is for no host name", async () => {
  const authority = await testAuthority();
  const { certPem, keyPem } = authority;
  expect(() => checkCertificate(certPem, keyPem, NOW)).toThrow(/for no host name/);
});
