import { hostName } from './match-host.ts';
import type { RequestHead } from './request-head.ts';
import type { RouteTable } from './table.ts';

const PATH = '/.well-known/acme-challenge/';

/**
 * What a certificate authority that asks for one of our tokens is told (RFC 8555 8.3), by whichever peer it reached.
 * @param now wall ms
 * @returns null: an ordinary request, which the app gets
 */
export function answerChallenge(
  table: RouteTable,
  { method, host, target, body }: Pick<RequestHead, 'method' | 'host' | 'target' | 'body'>,
  now: number,
): string | null {
  if (!target.startsWith(PATH) || (method !== 'GET' && method !== 'HEAD') || body !== 0) return null;
  const { challenges = {} } = table;
  const name = hostName(host);
  if (!Object.hasOwn(challenges, name)) return null;
  const token = target.slice(PATH.length);
  const found = challenges[name]?.find((each) => each.token === token && each.expiresAt > now);
  return found?.authorization ?? null;
}
