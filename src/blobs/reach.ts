import type { BlobId } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { targetsLeft } from '../ledger/pipelines/pipeline-duties.ts';
import { backupsInReach, latestSlugs, slugsInReach, uploadsInReach } from '../ledger/reach.ts';
import type { SlugRef } from '../ledger/releases/release-types.ts';
import type { View } from '../ledger/view.ts';

/** Each bundle holds the whole history that was pushed: the latest serves the next push, one more a push that was refused. */
const BUNDLES_IN_REACH = 2;
const OUTPUTS_IN_REACH = 50;

/**
 * Blobs that something in the ledger may still ask for: stacks, slugs in reach of a rollback, histories for the next push, output of builds, backups, and what a
 * promotion or an app setup still needs.
 */
export function blobsInReach(view: View): ReadonlySet<BlobId> {
  const inReach = new Set<BlobId>([...view.stacks.values()].map(({ blob }) => blob));
  for (const app of view.apps.values()) {
    if (app.destroyed) continue;
    const slugs = slugsInReach(app).flatMap(blobsOfSlug);
    const backups = backupsInReach(app).map(({ archive }) => archive);
    const sources = app.setup?.settled === null ? [app.setup.source] : [];
    const uploads = uploadsInReach(app).flatMap(blobsOfSlug);
    const all = [slugs, bundles(app), outputs(app), backups, sources, uploads];
    for (const blob of all.flat()) inReach.add(blob);
  }
  for (const blob of [...promotedBlobs(view), ...failedSetupOutputs(view)]) inReach.add(blob);
  return inReach;
}

/** All that a dyno of this slug needs. */
export function blobsOfSlug({ id, layers }: Pick<SlugRef, 'id' | 'layers'>): readonly BlobId[] {
  return [id, ...(layers ?? []).map((layer) => layer.id)];
}

/** A promotion's slug outlives its source until every target has it among its own. */
function promotedBlobs(view: View): readonly BlobId[] {
  return [...view.promotions.values()]
    .filter((promotion) => targetsLeft(view, promotion).length > 0)
    .flatMap(({ slug }) => blobsOfSlug(slug));
}

/** What the builds of setups that failed have written, though their apps are gone: it says why. */
function failedSetupOutputs(view: View): readonly BlobId[] {
  return [...view.apps.values()]
    .filter(({ destroyed, setup }) => destroyed && setup?.settled?.status === 'failed')
    .sort((a, b) => (b.setup?.createdAt ?? 0) - (a.setup?.createdAt ?? 0))
    .slice(0, OUTPUTS_IN_REACH)
    .flatMap(({ builds }) => [...builds.values()].flatMap(({ output }) => output ?? []));
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
