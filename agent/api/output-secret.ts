import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Known to this server alone: URLs of outputs are given out anew with each answer. */
const KEY = randomBytes(32);

/** The part of an output's URL that stands for a token: as on Heroku, clients read outputs without one. */
export function outputSecret(id: string): string {
  return createHmac('sha256', KEY).update(id).digest('base64url');
}

export function isOutputSecret(id: string, given: string): boolean {
  const secret = outputSecret(id);
  return secret.length === given.length && timingSafeEqual(Buffer.from(secret), Buffer.from(given));
}
