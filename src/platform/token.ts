import { createHash } from 'node:crypto';
import type { Token } from '../ledger/access/access-types.ts';
import { isoTime } from './time.ts';

export type TokenResource = {
  readonly id: string;
  readonly user: string;
  readonly description: string;
  readonly scope: readonly string[];
  readonly expires_at: string | null;
  readonly created_at: string;
  /** Only in the answer that made it. */
  readonly token?: string;
};

export function tokenResource(token: Token): TokenResource {
  return {
    id: token.token,
    user: token.user,
    description: token.description,
    scope: token.scopes,
    expires_at: token.expiresAt === null ? null : isoTime(token.expiresAt),
    created_at: isoTime(token.createdAt),
  };
}

// Clocks of a cluster's hosts differ: a token made at one that is behind must not be over at once at another.
const EXPIRY_TOLERANCE_MS = 60_000;

/** @param now wall ms of the peer that is asked: nobody else's clock counts */
export function isExpired({ expiresAt }: Pick<Token, 'expiresAt'>, now: number): boolean {
  return expiresAt !== null && now > expiresAt + EXPIRY_TOLERANCE_MS;
}

/** `kith-` and 43 base64url characters. */
export function tokenText(random32: Uint8Array): string {
  return `kith-${Buffer.from(random32).toString('base64url')}`;
}

/** What the ledger keeps of a token, in hex. A fast hash will do: tokens hold 256 random bits. */
export function tokenHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
