import type { PeerState } from './state.ts';

/** Slugs that a dyno here runs from, or that any peer would start one from: unpacked copies worth keeping. */
export function slugsInUse({ fold, dynos }: Pick<PeerState, 'fold' | 'dynos'>): ReadonlySet<string> {
  const current = [...fold.view.names.values()].map((id) => {
    const app = fold.view.apps.get(id);
    return app === undefined || app.current === null ? undefined : app.releases.get(app.current)?.slug?.id;
  });
  const running = [...dynos.values()].map((life) => life.slot.slug);
  return new Set([...current, ...running].filter((slug) => slug !== undefined));
}
