import type { Acme } from '../ledger/domains/acm-types.ts';
import { isoTime } from './time.ts';

export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

/** Where the cluster orders certificates, and as whom; the account's key is in no answer. */
export type AcmeResource = {
  readonly directory_url: string | null;
  readonly email: string | null;
  /** PEM of whoever vouches for the directory, where that is a private one. */
  readonly ca: string | null;
  readonly updated_at: string | null;
};

export function acmeResource(acme: Acme | null): AcmeResource {
  if (acme === null) return { directory_url: null, email: null, ca: null, updated_at: null };
  const { directory, email, ca, setAt } = acme;
  return { directory_url: directory, email, ca, updated_at: isoTime(setAt) };
}
