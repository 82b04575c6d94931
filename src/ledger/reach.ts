import type { BlobId } from '../ids.ts';
import type { App } from './apps/app-types.ts';
import { compareStamps } from './hlc.ts';
import type { SlugRef } from './releases/release-types.ts';
import type { Backup } from './volumes/volume-types.ts';

/** So many of an app's latest slugs can be rolled back to. */
export const SLUGS_IN_REACH = 20;
/** A week of daily backups of each volume, by its name: one that is made anew goes on with those of the one before. */
export const BACKUPS_IN_REACH = 7;
/** So many of the latest slugs that clients sent can be released for the first time. */
export const UPLOADS_IN_REACH = 5;

/** The slugs that can be rolled back to, and are therefore kept; what dynos run now among them. */
export function slugsInReach(app: App): readonly SlugRef[] {
  const current = app.current === null ? undefined : app.releases.get(app.current);
  const slugs = new Map<string, SlugRef>();
  // The current release may be older than many that failed.
  if (current?.slug) slugs.set(current.slug.id, current.slug);
  for (const slug of latestSlugs(app)) {
    if (slugs.size >= SLUGS_IN_REACH) break;
    slugs.set(slug.id, slug);
  }
  return [...slugs.values()];
}

/** Whether a release of this slug can be rolled back to. */
export function isInReach(app: App, slug: SlugRef): boolean {
  const known = reachOf.get(app) ?? new Set(slugsInReach(app).map(({ id }) => id));
  reachOf.set(app, known);
  return known.has(slug.id);
}

/** Apps never change; a list of releases asks of one app once for each. */
const reachOf = new WeakMap<App, ReadonlySet<BlobId>>();

/** Of all releases, the newest first: a slug comes as often as there are releases of it. */
export function latestSlugs(app: App): readonly SlugRef[] {
  return [...app.releases.values()].sort((a, b) => compareStamps(b, a)).flatMap(({ slug }) => slug ?? []);
}

/** The backups that are kept, the newest first. */
export function backupsInReach(app: App): readonly Backup[] {
  const counts = new Map<string, number>();
  return [...app.backups.values()]
    .sort((a, b) => compareStamps(b, a))
    .filter(({ name }) => {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return count <= BACKUPS_IN_REACH;
    });
}

/** The slugs that clients sent last, whether or not they were released. */
export function uploadsInReach(app: App): readonly SlugRef[] {
  return [...app.uploads.values()]
    .sort((a, b) => compareStamps(b, a))
    .slice(0, UPLOADS_IN_REACH)
    .map(({ slug }) => slug);
}
