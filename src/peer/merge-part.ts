import type { AppId } from '../ids.ts';
import { homeOfKey, write } from './commands-part.ts';
import type { PeerState } from './state.ts';
import type { Work } from './work.ts';

/** Heads seen only now may be joined by a merge that is already on its way here. */
const MERGE_DELAY_MS = 300;

/** Joins the heads that a split left, app by app, where this peer is the app's home. */
export function decideMerge(work: Work): void {
  const { state, now } = work;
  if (state.fold.view === state.unforked) return;
  const forked = forkedApps(state);
  if (forked.length === 0) {
    state.mergeAt = null;
    state.unforked = state.fold.view;
    return;
  }
  state.mergeAt ??= now.mono + MERGE_DELAY_MS;
  if (now.mono < state.mergeAt) return;
  // Not our apps' home, or refused: look again later, for the home may be gone by then.
  state.mergeAt = now.mono + MERGE_DELAY_MS * 10;
  for (const app of forked) {
    if (homeOfKey(work, app) !== state.self) continue;
    const result = write(work, { type: 'release.merge', app }, { user: 'kith', request: null });
    if (!result.ok) {
      work.effects.push({
        tag: 'alarm',
        text: 'merge refused',
        fields: { app, reason: result.error.message },
      });
    }
  }
}

function forkedApps(state: PeerState): AppId[] {
  return [...state.fold.view.names.values()].filter(
    (id) => (state.fold.view.apps.get(id)?.heads.length ?? 0) > 1,
  );
}

export function mergeWake(state: PeerState): number {
  return state.mergeAt ?? Infinity;
}
