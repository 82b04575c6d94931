import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import type { CertFacts } from '../ledger/domains/cert-types.ts';

/** A certificate that was found good, as it is kept: PEM without what stood around its blocks. */
export type CheckedCertificate = {
  /** The app's own certificate first, then whoever issued it, and so on. */
  readonly chain: readonly X509Certificate[];
  readonly chainPem: string;
  readonly keyPem: string;
  readonly facts: Omit<CertFacts, 'trusted'>;
};

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
const NAME_PATTERN =
  /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const CHAIN_LENGTH_MAX = 10;
const BLOCKS_MAX = 50;
/** What OpenSSL takes at its ordinary security level. */
const RSA_BITS_MIN = 2_048;
/** Of a key of 8,192 bits one core of a router makes a few dozen handshakes a second, and all apps share it. */
const RSA_BITS_MAX = 4_096;
const PLAIN_KEY_HINT = 'Remove its passphrase first: openssl pkey -in KEY -out PLAIN_KEY';

/**
 * Reads a certificate with its chain and its private key, and checks that they belong together.
 * @param now wall ms
 * @throws PlatformError `invalid_params`, in words for whoever has the two files; the key is in none of them
 */
export function checkCertificate(chainText: string, keyText: string, now: number): CheckedCertificate {
  const chain = readChain(chainText);
  const { key, keyPem } = readKey(keyText);
  const [leaf] = chain;
  if (leaf === undefined) throw refused('there is no certificate in it');
  mustBelong(chain, key);
  mustFollow(chain);
  const names = namesOf(leaf);
  if (names.length === 0) throw refused(`the certificate of "${lineOf(leaf.subject)}" is for no host name`);
  const [startsAt, expiresAt] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  if (expiresAt <= now) throw refused(`it expired at ${leaf.validToDate.toISOString()}`);
  const [issuer, subject] = [lineOf(leaf.issuer), lineOf(leaf.subject)];
  return {
    chain,
    chainPem: chain.map((each) => each.toString()).join(''),
    keyPem,
    facts: { names, startsAt, expiresAt, issuer, subject },
  };
}

function readChain(text: string): readonly X509Certificate[] {
  const blocks = blocksOf(text);
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))) {
    throw refused('a private key is among the certificates', 'Give the key by itself, after the certificate');
  }
  const wrong = blocks.find(({ label }) => label !== 'CERTIFICATE' && label !== 'X509 CERTIFICATE');
  if (wrong !== undefined) throw refused(`found a "${wrong.label}" among the certificates`);
  if (blocks.length === 0) {
    throw refused('found no PEM certificate', 'It begins with -----BEGIN CERTIFICATE-----');
  }
  if (blocks.length > CHAIN_LENGTH_MAX)
    throw refused(`its chain has more than ${CHAIN_LENGTH_MAX} certificates`);
  return blocks.map(({ pem }, i) => {
    try {
      return new X509Certificate(pem.replaceAll('X509 CERTIFICATE', 'CERTIFICATE'));
    } catch (cause) {
      throw refused(`certificate ${i + 1} of ${blocks.length} is damaged`, undefined, cause);
    }
  });
}

function readKey(text: string): { readonly key: KeyObject; readonly keyPem: string } {
  const blocks = blocksOf(text);
  const [found, another] = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  if (found === undefined) {
    const what =
      blocks[0] === undefined
        ? 'found no PEM private key'
        : `found a "${blocks[0].label}", not a private key`;
    throw refused(what, 'The key begins with -----BEGIN PRIVATE KEY-----, or RSA or EC PRIVATE KEY');
  }
  if (another !== undefined) throw refused('found more than one private key');
  if (found.label.startsWith('ENCRYPTED') || /^Proc-Type:.*ENCRYPTED/m.test(found.pem)) {
    throw refused('the private key is encrypted', PLAIN_KEY_HINT);
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(found.pem);
  } catch {
    // Without the library's own error: what it quotes is not known to us.
    throw refused('the private key is damaged');
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < RSA_BITS_MIN)
    throw refused(`its key has ${bits} bits, fewer than ${RSA_BITS_MIN}`);
  if (bits !== undefined && bits > RSA_BITS_MAX)
    throw refused(`its key has ${bits} bits, more than ${RSA_BITS_MAX}`);
  return { key, keyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

function mustBelong(chain: readonly X509Certificate[], key: KeyObject): void {
  const at = chain.findIndex((each) => each.checkPrivateKey(key));
  if (at === 0) return;
  if (at === -1) throw refused('the private key is of another certificate');
  throw refused(
    `the private key is that of certificate ${at + 1} of ${chain.length}`,
    "The app's own certificate comes first, then the one that issued it",
  );
}

function mustFollow(chain: readonly X509Certificate[]): void {
  for (const [i, issuer] of chain.slice(1).entries()) {
    const issued = chain[i];
    if (issued === undefined || (issued.checkIssued(issuer) && issued.verify(issuer.publicKey))) continue;
    throw refused(
      `certificate ${i + 2} of ${chain.length}, of "${lineOf(issuer.subject)}", did not issue the one before it`,
      `Certificate ${i + 1} was issued by "${lineOf(issued.issuer)}": put that next, or leave out what follows`,
    );
  }
}

/** Names it is for: those of its extension, else the common name of its subject. */
function namesOf(leaf: X509Certificate): readonly string[] {
  const names = (leaf.subjectAltName ?? '')
    .split(', ')
    .flatMap((entry) => (entry.startsWith('DNS:') ? [entry.slice(4)] : []));
  const common = /^CN=(.+)$/m.exec(leaf.subject)?.[1];
  const all = names.length > 0 || common === undefined ? names : [common];
  return [...new Set(all.map((name) => name.toLowerCase()).filter((name) => NAME_PATTERN.test(name)))];
}

function blocksOf(text: string): readonly { readonly label: string; readonly pem: string }[] {
  // Each beginning is looked for an end of its own, through all of the text.
  if (text.split('-----BEGIN ').length > BLOCKS_MAX + 1)
    throw refused(`it has more than ${BLOCKS_MAX} PEM blocks`);
  return [...text.replaceAll('\r\n', '\n').matchAll(PEM_BLOCK)].map(([pem, label = '']) => ({ label, pem }));
}

/** `/C=US/O=Example/CN=www.example.com`, as Heroku and OpenSSL write it. */
function lineOf(distinguishedName: string): string {
  return distinguishedName
    .split('\n')
    .map((part) => `/${part}`)
    .join('');
}

function refused(found: string, hint?: string, cause?: unknown): PlatformError {
  return new PlatformError('invalid_params', `Cannot use this certificate: ${found}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
