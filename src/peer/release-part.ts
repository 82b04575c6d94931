import { DEFAULT_SIZE, sizeOf } from '../dyno-sizes.ts';
import type { PeerFacts } from '../facts.ts';
import type { AppId, PeerId, ProcessType } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { RELEASE_TYPE, dueReleases } from '../ledger/releases/release-status.ts';
import type { SlugRef, Release } from '../ledger/releases/release-types.ts';
import type { View } from '../ledger/view.ts';
import { verdictOf } from '../membership/membership.ts';
import { volumesOf } from '../placement/wanted.ts';
import { homeOfKey, write } from './commands-part.ts';
import { ownFacts } from './facts-part.ts';
import type { DueRelease, PeerState } from './state.ts';
import { withEntry, withoutEntry, type Work } from './work.ts';

/** Another peer's attempt may already be on its way here. */
const ASSIGN_DELAY_MS = 100;
const LOOK_AGAIN_MS = 3_000;
/** So many peers may go away under a release command before it is held to be the cause. */
const ATTEMPTS_MAX = 5;
/** For so long a release waits for a peer that can run its command. */
const NO_PEER_MS_MAX = 5 * 60_000;

/**
 * Moves release phases on. The app's home names the peer that runs the command, in the ledger, and again another when
 * that one is known to be dead; the one that is named runs it, also after a restart of its own.
 */
export function moveReleases(work: Work): void {
  const { state } = work;
  if (state.releasesDue.view !== state.fold.view) {
    state.releasesDue = { view: state.fold.view, due: dueIn(state.fold.view) };
    forgetSettled(work);
  }
  if (state.releasesDue.due.length === 0) {
    state.releaseAt = null;
    return;
  }
  const unassigned = state.releasesDue.due.filter(({ release }) => !isUnderWay(work, release));
  assignWhenDue(work, unassigned);
  for (const due of dueIn(state.fold.view)) runIfOurs(work, due);
}

/** When to look again, mono ms. */
export function releaseWake(state: PeerState): number {
  return state.releaseAt ?? Infinity;
}

export function dueIn(view: View): readonly DueRelease[] {
  return [...view.names.values()].flatMap((id) => {
    const app = view.apps.get(id);
    return app === undefined ? [] : dueReleases(app).map((release) => ({ app: id, release }));
  });
}

function isUnderWay(work: Work, release: Release): boolean {
  const attempt = release.attempts.at(-1);
  return attempt !== undefined && !isLost(work, attempt.peer);
}

/** As for a slot: only a peer that is surely gone gives up what it runs, and one that has just started waits to hear. */
function isLost({ state }: Work, peer: PeerId): boolean {
  if (peer === state.self) return false;
  if (state.fold.view.members.get(peer)?.state !== 'member') return true;
  const verdict = verdictOf(state.membership, peer);
  return state.placeFrom === null && (verdict === 'down' || verdict === 'gone');
}

function assignWhenDue(work: Work, unassigned: readonly DueRelease[]): void {
  const { state, now } = work;
  if (unassigned.length === 0) {
    state.releaseAt = null;
    return;
  }
  state.releaseAt ??= now.mono + ASSIGN_DELAY_MS;
  if (now.mono < state.releaseAt) return;
  // Not our apps' home, or nobody can run it: look again later.
  state.releaseAt = now.mono + LOOK_AGAIN_MS;
  for (const due of unassigned) if (homeOfKey(work, due.app) === state.self) assign(work, due);
}

function assign(work: Work, { app, release }: DueRelease): void {
  const { state, now } = work;
  const { slug, attempts } = release;
  if (slug === null) return;
  const found = state.fold.view.apps.get(app);
  const peer = found === undefined ? null : roomiestFor(work, found, slug);
  const since = state.releasesStuck.get(release.id) ?? now.mono;
  let reason: string | null = null;
  if (attempts.length >= ATTEMPTS_MAX) reason = `${attempts.length} peers went away while they ran it`;
  else if (peer === null && now.mono - since > NO_PEER_MS_MAX) reason = noPeerReason(found);
  const to = { app, release: release.id, slug: slug.id };
  if (reason !== null) {
    state.releasesStuck = withoutEntry(state.releasesStuck, release.id);
    tryWrite(work, { type: 'release.settle', ...to, status: 'failed', output: null, reason });
  } else if (peer === null) {
    state.releasesStuck = withEntry(state.releasesStuck, release.id, since);
  } else {
    state.releasesStuck = withoutEntry(state.releasesStuck, release.id);
    tryWrite(work, { type: 'release.attempt', ...to, peer });
  }
}

function noPeerReason(app: App | undefined): string {
  const [volume] = app === undefined ? [] : volumesOf(app, RELEASE_TYPE);
  return volume === undefined
    ? 'no live peer can run it: see `kith peers`'
    : `it runs only where its volume "${volume.name}" is, and cannot now: see \`kith volumes:info ${volume.name}\``;
}

function tryWrite(work: Work, command: Parameters<typeof write>[1] & { readonly app: AppId }): void {
  const result = write(work, command, { user: 'kith', request: null });
  if (result.ok) return;
  const fields = { app: command.app, reason: result.error.message };
  work.effects.push({ tag: 'alarm', text: 'release phase refused', fields });
}

function runIfOurs(work: Work, { app, release }: DueRelease): void {
  const { state } = work;
  const attempt = release.attempts.at(-1);
  if (attempt?.peer !== state.self || state.stopping || state.releasesRun.has(attempt.id)) return;
  state.releasesRun = new Set([...state.releasesRun, attempt.id]);
  work.effects.push({ tag: 'release', app, release: release.id, attempt: attempt.id });
}

/** Of those where a dyno of this slug can run at all: whoever holds it, then whoever has the most memory to spare. */
function roomiestFor(work: Work, app: App, slug: SlugRef): PeerId | null {
  const { state } = work;
  const { memoryMiB } = sizeOf(app.formation.get(RELEASE_TYPE as ProcessType)?.size ?? DEFAULT_SIZE.name);
  const volumes = volumesOf(app, RELEASE_TYPE);
  const able = [ownFacts(work), ...state.facts.values()]
    .filter(({ peer }) => peer === state.self || isUp(work, peer))
    .filter((facts) => !facts.draining && facts.runtimeDown === undefined)
    .filter(({ peer }) => peer !== state.self || !state.stopping)
    .filter(({ arch }) => slug.arch === 'any' || slug.arch === arch)
    .filter((facts) => volumes.every(({ peer, stopped }) => peer === facts.peer && stopped === null))
    .filter(({ runtime }) => slug.format !== 'image' || runtime === 'docker')
    .map((facts) => ({ peer: facts.peer, spare: spareOf(facts), holds: facts.blobs.includes(slug.id) }))
    .filter(({ spare }) => spare >= memoryMiB)
    .sort((a, b) => Number(b.holds) - Number(a.holds) || b.spare - a.spare || (a.peer < b.peer ? -1 : 1));
  return able[0]?.peer ?? null;
}

function isUp({ state }: Work, peer: PeerId): boolean {
  const isMember = state.fold.view.members.get(peer)?.state === 'member';
  return isMember && verdictOf(state.membership, peer) === 'alive';
}

function spareOf({ capacity, dynos, oneOffs }: PeerFacts): number {
  return [...dynos, ...oneOffs].reduce(
    (spare, { size }) => spare - sizeOf(size).memoryMiB,
    capacity.memoryMiB,
  );
}

function forgetSettled(work: Work): void {
  const { state } = work;
  const attempts = new Set(
    state.releasesDue.due.flatMap(({ release }) => release.attempts.map(({ id }) => id)),
  );
  if ([...state.releasesRun].every((id) => attempts.has(id))) return;
  state.releasesRun = new Set([...state.releasesRun].filter((id) => attempts.has(id)));
}
