import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates } from 'node:tls';
import { PlatformError } from '../../src/errors.ts';
import type { CertFacts } from '../../src/ledger/domains/cert-types.ts';
import { checkCertificate } from '../../src/platform/certificate.ts';

/** A certificate that routers can serve, as it is kept. */
export type GoodCertificate = {
  readonly chainPem: string;
  readonly keyPem: string;
  readonly facts: CertFacts;
};

/**
 * What is found good here is good for every router: OpenSSL has the last word.
 * @throws PlatformError `invalid_params`, in words for whoever has the two files
 */
export function mustBeGood(chainText: string, keyText: string): GoodCertificate {
  const { chain, chainPem, keyPem, facts } = checkCertificate(chainText, keyText, Date.now());
  try {
    createSecureContext({ cert: chainPem, key: keyPem, minVersion: 'TLSv1.2' });
  } catch (cause) {
    const reason = cause instanceof Error && 'reason' in cause ? String(cause.reason) : 'TLS refuses it';
    throw new PlatformError('invalid_params', `Cannot use this certificate: ${reason}`, { cause });
  }
  return { chainPem, keyPem, facts: { ...facts, trusted: isTrusted(chain) } };
}

/** Whether the chain ends at an authority that browsers know, or was issued by one. */
function isTrusted(chain: readonly X509Certificate[]): boolean {
  const last = chain.at(-1);
  if (last === undefined) return false;
  return rootCertificates.some((pem) => {
    const root = new X509Certificate(pem);
    return last.checkIssued(root) && last.verify(root.publicKey);
  });
}
