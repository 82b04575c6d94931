import type { ReleaseId } from '../../ids.ts';
import type { App } from '../apps/app-types.ts';
import { compareStamps } from '../hlc.ts';
import type { OpOf } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import type { Release, ReleaseAttempt, ReleaseSettlement, SlugRef } from './release-types.ts';

/** The process type whose command runs before a release does. It is never part of the formation. */
export const RELEASE_TYPE = 'release';

type Said<Kind extends 'release.attempt' | 'release.settle'> = Pick<OpOf<Kind>, 'id' | 'hlc' | 'body'>;

/** All that was said of one release's command, for whichever slug. */
export type ReleasePhase = {
  readonly attempts: readonly Said<'release.attempt'>[];
  readonly settlements: readonly Said<'release.settle'>[];
};

export const NO_PHASE: ReleasePhase = { attempts: [], settlements: [] };

type ReleaseBody = OpBodyOf<'release'>;

/** What has to run before a release of this slug may; null: nothing. */
export function releaseCommandOf(slug: SlugRef | null): string | null {
  if (slug === null || !Object.hasOwn(slug.processTypes, RELEASE_TYPE)) return null;
  return slug.processTypes[RELEASE_TYPE] ?? null;
}

/**
 * A release with a release command is pending until that has ended, and every release on top of a pending one waits
 * for it: only then is it known which slug it has. As on Heroku, the command runs for an add-on that comes or goes, and
 * not for other values of one: these come when they come.
 * @param parents the statuses of its parents
 */
export function statusOf(
  { cause, runsCommand }: Pick<ReleaseBody, 'cause' | 'runsCommand'>,
  slug: SlugRef | null,
  parents: readonly Release['status'][],
  settled: ReleaseSettlement | null,
): Release['status'] {
  if (parents.includes('pending')) return 'pending';
  const isSkipped = cause === 'addon' && runsCommand !== true;
  if (isSkipped || releaseCommandOf(slug) === null) return 'succeeded';
  return settled?.status ?? 'pending';
}

/**
 * Whether a release that did not succeed leaves nothing behind. Config vars are set when they are written, as on
 * Heroku, and stay though the release command fails, and so do add-ons; a deploy, a promotion or a rollback is taken as a whole or not at all.
 */
export function isAllOrNothing(cause: ReleaseBody['cause']): boolean {
  return cause === 'deploy' || cause === 'promote' || cause === 'rollback';
}

/** Who was to run the command with this slug, the latest last. */
export function attemptsOf({ attempts }: ReleasePhase, slug: SlugRef | null): readonly ReleaseAttempt[] {
  return attempts
    .filter(({ body }) => body.slug === slug?.id)
    .map(({ id, hlc, body }) => ({ id, hlc, peer: body.peer }))
    .sort(compareStamps);
}

/**
 * How the command ended. Two peers may have run it, on two sides of a split: a success counts more than a failure,
 * because what succeeded once is done; among equals the first. What was said of another slug, which the release bore
 * while a parent was thought to have failed, does not count.
 */
export function settlementOf({ settlements }: ReleasePhase, slug: SlugRef | null): ReleaseSettlement | null {
  const [first] = settlements
    .filter(({ body }) => body.slug === slug?.id)
    .toSorted(
      (a, b) =>
        Number(a.body.status === 'failed') - Number(b.body.status === 'failed') || compareStamps(a, b),
    );
  if (first === undefined) return null;
  const { id, hlc, body } = first;
  return { id, hlc, status: body.status, output: body.output, reason: body.reason };
}

/** The pending releases whose turn it is: one, or one for each side of a split. */
export function dueReleases(app: Pick<App, 'heads' | 'releases'>): readonly Release[] {
  const due: Release[] = [];
  const seen = new Set<ReleaseId>(app.heads);
  for (const id of seen) {
    const release = app.releases.get(id);
    if (release?.status !== 'pending') continue;
    const waitsFor = release.parents.filter((parent) => app.releases.get(parent)?.status === 'pending');
    if (waitsFor.length === 0) due.push(release);
    for (const parent of waitsFor) seen.add(parent);
  }
  return due.sort(compareStamps);
}
