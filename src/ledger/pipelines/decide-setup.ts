import { PlatformError } from '../../errors.ts';
import { createApp, mustApp } from '../apps/decide-app.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import { draftRef } from '../draft-ref.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { mustPipeline } from './decide-pipeline.ts';

/**
 * The app, and what is to become of it: whichever peers die, there is no app that nobody knows to be unfinished. A review
 * app takes its place in its pipeline with the same write.
 */
export function createSetup(
  fold: Fold,
  { app, name, fallbackName, setup }: CommandOf<'setup.create'>,
  by: CommandContext,
): readonly OpDraft[] {
  // The same request, once more.
  if (fold.view.apps.get(app)?.setup?.setup === setup.setup) return [];
  const { review } = setup;
  if (review !== null) mustPipeline(fold, review.pipeline);
  const coupling = review === null ? [] : [{ pipeline: review.pipeline, stage: 'review' } as const];
  return [
    ...createApp(fold, { type: 'app.create', app, name, fallbackName }, { ...by, request: null }),
    { parents: [draftRef(0)], body: { kind: 'setup.create', app, ...setup, user: by.user } },
    ...coupling.map((place): OpDraft => ({
      parents: [draftRef(0)],
      body: { kind: 'coupling.set', app, coupling: place },
    })),
  ];
}

export function settleSetup(fold: Fold, { app: id, settled }: CommandOf<'setup.settle'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, id);
  const { created } = state.setup;
  if (created === null || created.body.setup !== settled.setup) {
    throw new PlatformError('not_found', "Couldn't find that app setup.", { resource: 'app_setup' });
  }
  if (app.setup?.settled != null) return [];
  const end: OpDraft = { parents: [created.id], body: { kind: 'setup.settle', app: id, ...settled } };
  return settled.status === 'succeeded'
    ? [end]
    : [end, { parents: [], body: { kind: 'app.destroy', app: id } }];
}
