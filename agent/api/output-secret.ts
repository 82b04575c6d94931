import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { View } from '../../src/ledger/view.ts';
import type { Grant } from '../../src/platform/grant.ts';

/** Known to this server alone: URLs of outputs are given out anew with each answer. */
const KEY = randomBytes(32);

/**
 * The part of an output's URL that stands for a token: as on Heroku, clients read outputs without one. It says by whose
 * token the URL was asked for, and is good for no longer than that.
 */
export function outputSecret(id: string, { token }: Grant): string {
  const name = Buffer.from(token?.id ?? '').toString('base64url');
  const mac = createHmac('sha256', KEY).update(JSON.stringify([id, token?.id ?? null, token?.hash ?? null]));
  return `${name}.${mac.digest('base64url')}`;
}

/** What the secret was given out for; null: it is none of ours. `asked`: the app and the permission to read the output. */
export function readOutputSecret(
  view: View,
  id: string,
  given: string,
  asked: Omit<Grant, 'token'>,
): Grant | null {
  const name = Buffer.from(given.split('.', 1)[0] ?? '', 'base64url').toString();
  const token = name === '' ? null : { id: name, hash: view.tokens.get(name)?.hash ?? '' };
  const grant = { ...asked, token };
  const [found, known] = [Buffer.from(given), Buffer.from(outputSecret(id, grant))];
  return found.length === known.length && timingSafeEqual(found, known) ? grant : null;
}
