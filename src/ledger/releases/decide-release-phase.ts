import type { OpId } from '../../ids.ts';
import { mustApp, mustRelease } from '../apps/decide-app.ts';
import { formationAfterDeploy } from '../apps/decide-formation.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpBodyOf, OpBody, OpDraft } from '../op.ts';
import { ReleaseEdit, currentOf } from './fold-release.ts';
import type { Release } from './release-types.ts';

/** One op that claims the run; none where nothing is left to run. */
export function attemptRelease(fold: Fold, command: CommandOf<'release.attempt'>): readonly OpDraft[] {
  const { app } = mustApp(fold, command.app);
  const release = mustRelease(app, command.release);
  const { slug, peer } = command;
  if (!isOpen(release, slug)) return [];
  const body: OpBody = { kind: 'release.attempt', app: app.id, release: release.op, slug, peer };
  return [{ parents: pastOf(release), body }];
}

/** Says how it ended, and makes the formation what it shall be for the release that is current from then on. */
export function settleRelease(
  fold: Fold,
  command: CommandOf<'release.settle'>,
  { user }: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const release = mustRelease(app, command.release);
  const { slug, status, output, reason } = command;
  if (!isOpen(release, slug)) return [];
  const body: OpBodyOf<'release.settle'> = {
    kind: 'release.settle',
    app: app.id,
    release: release.op,
    slug,
    status,
    output,
    reason,
  };
  const parents = pastOf(release);
  const edit = new ReleaseEdit(state.releases);
  edit.settle({ id: release.op, hlc: release.hlc, parents, body });
  const after = edit.done();
  const current = currentOf(after);
  const next = current === app.current || current === null ? null : after.releases.get(current)?.slug;
  return [{ parents, body }, ...(next ? formationAfterDeploy({ state, app }, next, user) : [])];
}

function isOpen(release: Release, slug: string): boolean {
  return release.status === 'pending' && release.slug?.id === slug;
}

function pastOf({ op, attempts }: Release): readonly OpId[] {
  return [op, ...attempts.map(({ id }) => id)];
}
