import type { App } from '../ledger/apps/app-types.ts';
import { digest } from '../ledger/codec.ts';
import type { Cert } from '../ledger/domains/cert-types.ts';
import { orderedFor, whyNotOrdered, type WantedCertificate } from '../ledger/domains/certificate-duties.ts';
import type { Domain } from '../ledger/domains/domain-types.ts';

/** As Heroku's clients know them. `failing` is tried again by itself; `failed` is as well, or cannot be had at all. */
export type AcmStatus = 'pending' | 'in-progress' | 'cert issued' | 'failing' | 'failed';
export type AcmStanding = { readonly status: AcmStatus | null; readonly reason: string | null };

const NO_WILDCARD =
  'To verify a wildcard, the authority would ask for a record in your DNS. Add a certificate of your own: certs:add';

/** How it stands with the certificate of a custom domain; no status where none are ordered for its app. */
export function acmStanding(app: App, domain: Pick<Domain, 'hostname' | 'domain'>): AcmStanding {
  if (!app.acm.on) return { status: null, reason: null };
  const why = whyNotOrdered(app, domain);
  if (why === 'uploaded') return { status: 'cert issued', reason: null };
  if (why === 'wildcard') return { status: 'failed', reason: NO_WILDCARD };
  const going = app.acm.domains.get(domain.domain);
  if (going?.failure != null) return { status: going.failure.status, reason: going.failure.reason };
  if (orderedFor(app, domain) !== null) return { status: 'cert issued', reason: null };
  return { status: going === undefined ? 'pending' : 'in-progress', reason: null };
}

/** When something of that changed last, wall ms. */
export function acmChangedAt(app: App, domain: Pick<Domain, 'domain' | 'createdAt'>): number {
  const failedAt = app.acm.domains.get(domain.domain)?.failure?.at ?? 0;
  return Math.max(domain.createdAt, failedAt, orderedFor(app, domain)?.updatedAt ?? 0);
}

/** After two thirds of a certificate's life, as authorities recommend, and up to a twentieth of it sooner. */
const RENEWED_AFTER = 2 / 3;
const JITTER = 1 / 20;

/**
 * When the next order is due, wall ms. The jitter is the certificate's own, so that a next issuer neither orders at once nor
 * waits anew, and those that were ordered together are not renewed together.
 */
export function orderDueAt({
  app,
  domain,
  cert,
}: Pick<WantedCertificate, 'app' | 'domain' | 'cert'>): number {
  const notBefore = app.acm.domains.get(domain.domain)?.failure?.notBefore ?? 0;
  return cert === null ? notBefore : Math.max(notBefore, renewalDueAt(cert));
}

export function renewalDueAt({
  chain,
  facts: { startsAt, expiresAt },
}: Pick<Cert, 'chain' | 'facts'>): number {
  const jitter = (parseInt(shortHash(chain), 36) / 36 ** 4) * JITTER;
  return startsAt + (expiresAt - startsAt) * (RENEWED_AFTER - jitter);
}

function shortHash(text: string): string {
  return digest(text).slice(0, 4);
}

const BACK_OFF_MS = 60_000;
const BACK_OFF_MS_MAX = 12 * 3_600_000;
/** So many orders in a row that come to nothing are more than bad luck: a quarter of an hour. */
const FAILURES_UNTIL_FAILED = 5;

/** @param failures in a row, one at least @param random in [0, 1) */
export function backOffMs(failures: number, random: number): number {
  return Math.min(BACK_OFF_MS * 2 ** (failures - 1), BACK_OFF_MS_MAX) * (0.8 + 0.4 * random);
}

export function failureStatus(failures: number): 'failing' | 'failed' {
  return failures < FAILURES_UNTIL_FAILED ? 'failing' : 'failed';
}

/** How many there were, as far as the ledger tells: an issuer that takes over does not begin with none. */
export function failuresKnown({ acme, app, domain }: WantedCertificate): number {
  const failure = app.acm.domains.get(domain.domain)?.failure ?? null;
  // Other settings may well be better ones.
  if (failure === null || failure.at < acme.setAt) return 0;
  return failure.status === 'failed' ? FAILURES_UNTIL_FAILED : 1;
}
