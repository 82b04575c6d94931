import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

let trusted: SecureContext | null = null;

/**
 * Whose word counts for a receiver's certificate: the authorities that Node brings, those of this machine (on Debian what
 * `update-ca-certificates` made of them), and those of NODE_EXTRA_CA_CERTS. Read once, when first needed: to
 * parse hundreds of certificates for each connection would be felt.
 */
export function trustedContext(): SecureContext {
  trusted ??= createSecureContext({
    ca: [...new Set([...getCACertificates('default'), ...getCACertificates('system')])],
  });
  return trusted;
}

/** Why a certificate was refused, in OpenSSL's words; null for any other error. */
export function certificateProblem(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const isCertificates = /CERT|^UNABLE_TO|ISSUER|CRL|HOSTNAME_MISMATCH|CHAIN/.test(error.code);
  // Node goes on with advice for who runs Node: the machine's authorities are among ours already.
  const [reason = ''] = error.message.split('; if the root CA');
  return isCertificates ? reason.replaceAll('"', "'").slice(0, 200) : null;
}
