import type { BlobId } from '../ids.ts';
import type { SlugRef } from '../ledger/op.ts';
import type { App, View } from '../ledger/view.ts';

/** So many of an app's latest slugs can be rolled back to. */
export const SLUGS_IN_REACH = 20;
/** Each bundle holds the whole history that was pushed: the latest serves the next push, one more a push that was refused. */
const BUNDLES_IN_REACH = 2;
const OUTPUTS_IN_REACH = 50;

/** Blobs that something in the ledger may still ask for: stacks, slugs in reach of a rollback, histories for the next push, output of builds. */
export function blobsInReach(view: View): ReadonlySet<BlobId> {
  const inReach = new Set<BlobId>([...view.stacks.values()].map(({ blob }) => blob));
  for (const app of view.apps.values()) {
    if (app.destroyed) continue;
    for (const blob of [...slugBlobs(app), ...bundles(app), ...outputs(app)]) inReach.add(blob);
  }
  return inReach;
}

/** All that a dyno of this slug needs. */
export function blobsOfSlug({ id, layers }: Pick<SlugRef, 'id' | 'layers'>): readonly BlobId[] {
  return [id, ...(layers ?? []).map((layer) => layer.id)];
}

function slugBlobs(app: App): readonly BlobId[] {
  const current = app.current === null ? undefined : app.releases.get(app.current);
  const slugs = new Map<BlobId, SlugRef>();
  // The current release may be older than many that failed.
  if (current?.slug) slugs.set(current.slug.id, current.slug);
  for (const slug of latestSlugs(app)) {
    if (slugs.size >= SLUGS_IN_REACH) break;
    slugs.set(slug.id, slug);
  }
  return [...slugs.values()].flatMap(blobsOfSlug);
}

function bundles(app: App): readonly BlobId[] {
  const sources = latestSlugs(app).flatMap(({ source }) => source ?? []);
  return [...new Set(sources)].slice(0, BUNDLES_IN_REACH);
}

function outputs(app: App): readonly BlobId[] {
  const builds = [...app.builds.values()].sort((a, b) => b.createdAt - a.createdAt);
  const releases = [...app.releases.values()].sort((a, b) => b.createdAt - a.createdAt);
  return [
    ...builds.flatMap(({ output }) => output ?? []).slice(0, OUTPUTS_IN_REACH),
    ...releases.flatMap(({ settled }) => settled?.output ?? []).slice(0, OUTPUTS_IN_REACH),
  ];
}

function latestSlugs(app: App): readonly SlugRef[] {
  return [...app.releases.values()]
    .sort((a, b) => b.hlc.ms - a.hlc.ms || b.hlc.n - a.hlc.n)
    .flatMap(({ slug }) => slug ?? []);
}
