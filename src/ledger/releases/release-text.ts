import { compareStamps } from '../hlc.ts';
import type { Release, SlugRef } from './release-types.ts';

/** Room for a few dozen keys; the rest of a long list is in the release itself. */
const DESCRIPTION_LENGTH_MAX = 1_000;

/** `Set A, B config vars`, `Remove A config vars`, `Set A, remove B config vars`. */
export function configDescription(config: Readonly<Record<string, Uint8Array | null>>): string {
  // Sorted, for a command that travels to its home does not keep their order.
  const keys = Object.keys(config).toSorted();
  const set = keys.filter((key) => config[key] !== null).join(', ');
  const removed = keys.filter((key) => config[key] === null).join(', ');
  if (set === '') return shorten(`Remove ${removed} config vars`);
  return shorten(removed === '' ? `Set ${set} config vars` : `Set ${set}, remove ${removed} config vars`);
}

/** `Deploy 0b0e75c1`: of a commit, or of the slug where the source had none. */
export function deployDescription(given: string, version: string): string {
  return shorten(given === '' ? `Deploy ${version.slice(0, 8)}` : given);
}

export function rollbackDescription(target: Release): string {
  return `Rollback to ${target.label}`;
}

/** `Promote blog-staging v12 0b0e75c1`: what is promoted, and the commit, or the slug where it was made of none. */
export function promoteDescription(app: string, release: Pick<Release, 'label'>, slug: SlugRef): string {
  return shorten(`Promote ${app} ${release.label} ${(slug.commit ?? slug.id).slice(0, 8)}`);
}

/** `Attach DATABASE (@ref:acme-postgresql-flat-02648)`. */
export function attachDescription(attachment: string, addon: string): string {
  return `Attach ${attachment} (@ref:${addon})`;
}

/** `Detach DATABASE (@ref:acme-postgresql-flat-02648)`. */
export function detachDescription(attachments: readonly string[], addon: string): string {
  return shorten(`Detach ${attachments.join(', ')} (@ref:${addon})`);
}

/** `@ref:acme-postgresql-flat-02648 completed provisioning, setting DATABASE_URL.` */
export function provisionedDescription(addon: string, vars: readonly string[]): string {
  const setting = vars.length === 0 ? '' : `, setting ${vars.join(', ')}`;
  return shorten(`@ref:${addon} completed provisioning${setting}.`);
}

/** `Update DATABASE by acme-postgresql`. */
export function updateDescription(attachments: readonly string[], service: string): string {
  return shorten(`Update ${attachments.join(', ')} by ${service}`);
}

/** `Merge v5.k3f9 and v5.m2c1`. */
export function mergeDescription(heads: readonly Release[]): string {
  const sorted = heads.toSorted((a, b) => a.number - b.number || compareStamps(a, b));
  const labels = sorted.map((head) => head.label);
  return shorten(`Merge ${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}`);
}

function shorten(text: string): string {
  return text.length <= DESCRIPTION_LENGTH_MAX ? text : `${text.slice(0, DESCRIPTION_LENGTH_MAX - 1)}…`;
}
