import { decode, encode } from '@ipld/dag-cbor';
import { createHash } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';

const PREFIX = 'kith1.';

/** Everything that `kith join` needs, in one pasteable word. */
export type InviteToken = {
  readonly cluster: string;
  readonly invite: string;
  /** Shown once; the ledger holds its hash. */
  readonly secret: string;
  /** Multiaddrs with peer id of the peer that made it. */
  readonly addrs: readonly string[];
  /** Wall ms, by the clock of the peer that made it. */
  readonly expiresAt: number;
};

export function formatInvite(token: InviteToken): string {
  return PREFIX + Buffer.from(encode(token)).toString('base64url');
}

/** Throws `bad_invite` that says what was pasted wrong. */
export function parseInvite(text: string): InviteToken {
  const word = text.trim();
  if (!word.startsWith(PREFIX)) {
    throw new PlatformError('bad_invite', `Cannot join: "${word.slice(0, 20)}" is no invite token`, {
      hint: 'Paste the whole token that `kith invite` prints on a member: it starts with "kith1."',
    });
  }
  try {
    const value = decode<InviteToken>(Buffer.from(word.slice(PREFIX.length), 'base64url'));
    const texts = [value.cluster, value.invite, value.secret, ...value.addrs];
    if (texts.every((part) => typeof part === 'string') && Number.isFinite(value.expiresAt)) return value;
  } catch (cause) {
    throw damaged(cause);
  }
  throw damaged(undefined);
}

export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function damaged(cause: unknown): PlatformError {
  return new PlatformError('bad_invite', 'Cannot join: the invite token is damaged', {
    hint: 'Part of it may be missing: copy it again, or make another with `kith invite`',
    cause,
  });
}
