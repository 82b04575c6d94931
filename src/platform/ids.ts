import { createHash } from 'node:crypto';
import type { AppId, BlobId, ProcessType, ReleaseId } from '../ids.ts';
import type { UserEmail } from '../ledger/values.ts';

/**
 * A UUID (version 8) that is the same wherever it is computed: Heroku's clients expect UUIDs, while our releases and
 * slugs are named by hashes, and formations and users by what they are.
 */
export function uuidOf(kind: string, name: string): string {
  const hex = createHash('sha256').update(`${kind}:${name}`).digest('hex');
  const variant = ((parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

export const releaseUuid = (release: ReleaseId): string => uuidOf('release', release);
export const slugUuid = (slug: BlobId): string => uuidOf('slug', slug);
export const formationUuid = (app: AppId, type: ProcessType): string => uuidOf('formation', `${app}/${type}`);
export const userUuid = (user: UserEmail): string => uuidOf('user', user);
