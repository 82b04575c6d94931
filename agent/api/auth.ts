import { timingSafeEqual } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';
import type { UserEmail } from '../../src/ledger/op.ts';
import type { Token } from '../../src/ledger/view.ts';
import { tokenHash } from '../../src/platform/token.ts';

/**
 * The user whose token the `Authorization` header bears: `Bearer TOKEN`, or Basic with any user and the token as
 * password (how git sends it). Null when there is none, or a revoked one.
 */
export function authenticate(header: string | undefined, tokens: Iterable<Token>): UserEmail | null {
  const text = tokenOf(header ?? '');
  if (text === null) return null;
  const hash = Buffer.from(tokenHash(text), 'hex');
  let found: Token | null = null;
  // All tokens are compared, each in constant time, so that the time taken tells nothing of where one differs.
  for (const token of tokens) {
    const known = Buffer.from(token.hash, 'hex');
    if (known.length === hash.length && timingSafeEqual(known, hash) && !token.revoked) found = token;
  }
  return found?.user ?? null;
}

/** Heroku's words, which its clients look for. */
export function unauthorized(): PlatformError {
  return new PlatformError('unauthorized', 'Invalid credentials provided.', {
    hint: 'Send a token as `Authorization: Bearer TOKEN`; `kith tokens:create` makes one',
  });
}

function tokenOf(header: string): string | null {
  const [, scheme = '', value = ''] = /^(bearer|basic)\s+(\S+)\s*$/i.exec(header) ?? [];
  if (scheme === '') return null;
  if (scheme.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? null : pair.slice(colon + 1);
}
