import { timingSafeEqual } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';
import type { Token } from '../../src/ledger/access/access-types.ts';
import { isExpired, tokenHash } from '../../src/platform/token.ts';

/**
 * The token that the `Authorization` header bears: `Bearer TOKEN`, or Basic with any user and the token as password
 * (how git sends it). Null when there is none, a revoked one, or one whose time is over.
 * @param now this peer's clock, wall ms
 */
export function authenticate(header: string | undefined, tokens: Iterable<Token>, now: number): Token | null {
  const text = tokenOf(header);
  if (text === null) return null;
  const hash = Buffer.from(tokenHash(text), 'hex');
  let found: Token | null = null;
  // All tokens are compared, each in constant time, so that the time taken tells nothing of where one differs.
  for (const token of tokens) {
    const known = Buffer.from(token.hash, 'hex');
    if (known.length === hash.length && timingSafeEqual(known, hash) && !token.revoked) found = token;
  }
  return found === null || isExpired(found, now) ? null : found;
}

/** Heroku's words, which its clients look for. */
export function unauthorized(): PlatformError {
  return new PlatformError('unauthorized', 'Invalid credentials provided.', {
    hint: 'Send a token as `Authorization: Bearer TOKEN`; `kith tokens:create` makes one',
  });
}

/** What the header says is the token, known or not. */
export function tokenOf(header: string | undefined): string | null {
  const [, scheme = '', value = ''] = /^(bearer|basic)\s+(\S+)\s*$/i.exec(header ?? '') ?? [];
  if (scheme === '') return null;
  if (scheme.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? null : pair.slice(colon + 1);
}
