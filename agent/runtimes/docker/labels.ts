import { createHash } from 'node:crypto';

/** Names a data folder, by its real path, in an Engine. */
export function peerHash(dir: string): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 16);
}

/**
 * Labels on everything that Kith makes in an Engine. Several peers may share one, with programs of others: a peer touches
 * only what bears its own hash.
 */
export const LABEL = {
  peer: 'kith.peer',
  /** `dyno`, `berth` (holds a dyno's network), or `image` (an image being made, and then the image). */
  role: 'kith.role',
  dyno: 'kith.dyno',
  app: 'kith.app',
  name: 'kith.name',
  /** JSON of `DynoSpec.labels`. */
  labels: 'kith.labels',
  /** $PORT of a web dyno. */
  port: 'kith.port',
  /** `yes`: its stdio is its client's, and not in the log. */
  attached: 'kith.attached',
  /** Container id of the dyno's berth. */
  berth: 'kith.berth',
  slug: 'kith.slug',
  /** `slug` or `image`. */
  format: 'kith.format',
  /** What lies under a slug's image, by blob ids. */
  layers: 'kith.layers',
  /** What an image was made from: equal values, equal files. */
  made: 'kith.made',
} as const;

export type Role = 'dyno' | 'berth' | 'image';

export function ownedBy(peer: string, role: Role): Record<string, string> {
  return { [LABEL.peer]: peer, [LABEL.role]: role };
}

/** For the Engine's lists: only what is this peer's, in this role. */
export function ownFilter(peer: string, ...roles: readonly Role[]): { label: string[] } {
  return { label: [`${LABEL.peer}=${peer}`, ...roles.map((role) => `${LABEL.role}=${role}`)] };
}
