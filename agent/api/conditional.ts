import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PlatformError } from '../../src/errors.ts';

/** What a client may ask for again, or write over, only if it is (or is not) what the client has seen. */
export function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 32)}"`;
}

/** Whether the client has this very answer already: then 304 tells it so. */
export function isFresh({ headers }: IncomingMessage, etag: string): boolean {
  return names(headers['if-none-match'], etag);
}

/**
 * @param etag of what is there now; null: there is nothing that could match
 * @throws PlatformError `precondition_failed` unless the client's `If-Match` names it, or there is none
 */
export function mustMatch({ headers }: IncomingMessage, etag: string | null): void {
  const wanted = headers['if-match'];
  if (wanted === undefined || (etag !== null && names(wanted, etag))) return;
  throw new PlatformError('precondition_failed', 'Cannot write: this is not what it was when you read it', {
    hint: 'Read it again, and send its new ETag as If-Match',
  });
}

/** `*`, or a list of tags; that one is marked as weak makes no difference here. */
function names(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
