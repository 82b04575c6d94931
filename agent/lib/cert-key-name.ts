import type { CertId } from '../../src/ids.ts';

/** What a certificate's private key is sealed under. No config var is called so: those have no colon. */
export const certKeyName = (cert: CertId): string => `certificate:${cert}`;
