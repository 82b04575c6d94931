import { blobsOfSlug } from '../blobs/reach.ts';
import { dueReleases } from '../ledger/releases/release-status.ts';
import type { PeerState } from './state.ts';

/** Slugs and their layers that a dyno here runs from, or that any peer would start one from: unpacked copies worth keeping. */
export function slugsInUse({ fold, dynos }: Pick<PeerState, 'fold' | 'dynos'>): ReadonlySet<string> {
  const current = [...fold.view.names.values()].flatMap((id) => {
    const app = fold.view.apps.get(id);
    if (app === undefined) return [];
    const running = app.current === null ? undefined : app.releases.get(app.current);
    // A release that is pending runs its command from its own slug, and then everything.
    return [running, ...dueReleases(app)].flatMap((release) =>
      release?.slug ? blobsOfSlug(release.slug) : [],
    );
  });
  const running = [...dynos.values()].flatMap(({ slot }) => [slot.slug, ...slot.layers]);
  return new Set([...current, ...running]);
}
