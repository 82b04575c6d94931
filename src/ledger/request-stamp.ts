import { encode } from '@ipld/dag-cbor';
import { digest } from './codec.ts';
import type { Command } from './command.ts';
import type { Op } from './op.ts';
import type { UserEmail } from './values.ts';

const MARK_LENGTH = 26;
const STAMP_PATTERN = /^[a-z2-7]{52}$/;

/** Names a request of a client: another user may have picked the same id. */
export function requestMark(request: string, user: UserEmail): string {
  return digest(JSON.stringify(['request', request, user])).slice(0, MARK_LENGTH);
}

/** Names one write of a request, which may make several: its mark, then what is asked, in whatever order its fields came. */
export function requestStamp(request: string, user: UserEmail, command: Command): string {
  return requestMark(request, user) + digest(encode(command)).slice(0, MARK_LENGTH);
}

/** The request that a stamp is of. */
export function markOf(stamp: string): string {
  return stamp.slice(0, MARK_LENGTH);
}

/** Any kind of op may bear one. */
export function readStamp({ body }: Pick<Op, 'body'>): string | null {
  const stamp: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'stamp') : null;
  return typeof stamp === 'string' && STAMP_PATTERN.test(stamp) ? stamp : null;
}
