import { PlatformError } from '../../errors.ts';
import type { AppId, PipelineId } from '../../ids.ts';
import type { App } from '../apps/app-types.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import { formationNow, releaseDraft } from '../releases/decide-release.ts';
import { promoteDescription } from '../releases/release-text.ts';
import { configKeyOf } from './fold-pipelines.ts';
import type { PipelineState } from './fold-pipelines.ts';
import { promotionRequest } from './pipeline-types.ts';
import type { Pipeline } from './pipeline-types.ts';

const NAME_PATTERN = /^[a-z][a-z0-9-]{2,29}$/;
const TARGETS_MAX = 100;
const CONFIG_KEYS_MAX = 500;

/** A pipeline that is there, as registers and as readers see it. Throws Heroku's 404. */
export function mustPipeline(fold: Fold, id: PipelineId): { state: PipelineState; pipeline: Pipeline } {
  const state = fold.state.pipelines.pipelines.get(id);
  const pipeline = fold.view.pipelines.get(id);
  if (state !== undefined && pipeline !== undefined) return { state, pipeline };
  throw new PlatformError('not_found', "Couldn't find that pipeline.", { resource: 'pipeline' });
}

export function setPipeline(
  fold: Fold,
  command: CommandOf<'pipeline.set'>,
  { user }: CommandContext,
): readonly OpDraft[] {
  const { pipeline: id } = command;
  const state = fold.state.pipelines.pipelines.get(id);
  if (state === undefined) {
    const name = mustFreeName(fold, command.name ?? '', id);
    const owner = command.owner ?? user;
    return [{ parents: [], body: { kind: 'pipeline.set', pipeline: id, name, owner } }];
  }
  const { pipeline } = mustPipeline(fold, id);
  const name = command.name === undefined ? pipeline.name : mustFreeName(fold, command.name, id);
  const owner = command.owner ?? pipeline.owner;
  if (name === pipeline.name && owner === pipeline.owner) return [];
  return [{ parents: headsOf(state.set), body: { kind: 'pipeline.set', pipeline: id, name, owner } }];
}

/** Its apps stay, and are in no pipeline any more. */
export function removePipeline(fold: Fold, command: CommandOf<'pipeline.remove'>): readonly OpDraft[] {
  const { pipeline } = mustPipeline(fold, command.pipeline);
  return [{ parents: [], body: { kind: 'pipeline.remove', pipeline: pipeline.id } }];
}

export function configurePipeline(
  fold: Fold,
  { pipeline: id, stage, config }: CommandOf<'pipeline.config'>,
): readonly OpDraft[] {
  const { state, pipeline } = mustPipeline(fold, id);
  const keys = Object.keys(config);
  if (pipeline.config.size + keys.length > CONFIG_KEYS_MAX) {
    throw new PlatformError(
      'invalid_params',
      `Cannot set ${keys.length} more config vars on the pipeline "${pipeline.name}": it has at most ${CONFIG_KEYS_MAX}`,
    );
  }
  if (keys.length === 0) return [];
  const parents = keys.flatMap((key) => headsOf(state.config.get(configKeyOf(stage, key))));
  return [{ parents: [...new Set(parents)], body: { kind: 'pipeline.config', pipeline: id, stage, config } }];
}

export function setReview(fold: Fold, command: CommandOf<'pipeline.review'>): readonly OpDraft[] {
  const { state, pipeline } = mustPipeline(fold, command.pipeline);
  const { review } = command;
  if (JSON.stringify(review) === JSON.stringify(pipeline.review)) return [];
  return [
    { parents: headsOf(state.review), body: { kind: 'pipeline.review', pipeline: pipeline.id, review } },
  ];
}

export function couple(fold: Fold, command: CommandOf<'coupling.set'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { coupling } = command;
  if (coupling !== null) mustPipeline(fold, coupling.pipeline);
  const is = app.coupling;
  if (coupling?.pipeline === is?.pipeline && coupling?.stage === is?.stage) return [];
  return [{ parents: headsOf(state.coupling), body: { kind: 'coupling.set', app: app.id, coupling } }];
}

/** Says what is to be released where: the release that the source runs now, whatever comes after it. */
export function createPromotion(
  fold: Fold,
  command: CommandOf<'promotion.create'>,
  { user }: CommandContext,
): readonly OpDraft[] {
  const { promotion, pipeline: id, source, targets } = command;
  // The same request, once more.
  if (fold.view.promotions.has(promotion)) return [];
  const { pipeline } = mustPipeline(fold, id);
  const app = mustMemberOf(fold, pipeline, source);
  const release = app.current === null ? undefined : app.releases.get(app.current);
  if (release === undefined || release.slug === null) {
    throw refused(app, 'it has no code yet', 'Deploy it first: git push kith main');
  }
  if (targets.length === 0) {
    throw refused(
      app,
      'there is no app to promote it to',
      'Name one with `--to`, or add one to the pipeline',
    );
  }
  if (targets.length > TARGETS_MAX) {
    throw refused(
      app,
      `to ${targets.length} apps at once, at most ${TARGETS_MAX} can be`,
      'Promote in parts',
    );
  }
  if (targets.includes(source)) {
    throw refused(app, 'an app cannot be promoted to itself', 'Name another app of the pipeline');
  }
  for (const target of targets) mustMemberOf(fold, pipeline, target);
  const { slug, op } = release;
  const description = promoteDescription(app.name, release, slug);
  const about = { promotion, pipeline: id, source, release: op, slug, description };
  const body = { kind: 'promotion.create', ...about, targets: [...new Set(targets)], user } as const;
  return [{ parents: [op], body }];
}

/** One target's release: the promoted slug with the target's own config. */
export function promote(fold: Fold, command: CommandOf<'release.promote'>): readonly OpDraft[] {
  const promotion = fold.view.promotions.get(command.promotion);
  if (promotion === undefined || !promotion.targets.includes(command.app)) {
    throw new PlatformError('not_found', "Couldn't find that promotion.", { resource: 'pipeline_promotion' });
  }
  const on = mustApp(fold, command.app);
  const request = promotionRequest(promotion.promotion, command.app);
  if (fold.view.requests.has(request)) return [];
  const { slug, description, user } = promotion;
  const by = { user, request };
  const release = releaseDraft(on.state, by, { cause: 'promote', description, slug, config: {} });
  return [{ ...release, parents: [...release.parents, promotion.op] }, ...formationNow(on, slug, by)];
}

function mustMemberOf(fold: Fold, pipeline: Pipeline, id: AppId): App {
  const { app } = mustApp(fold, id);
  if (app.coupling?.pipeline === pipeline.id) return app;
  throw new PlatformError(
    'invalid_params',
    `Cannot promote with "${app.name}": it is not in the pipeline "${pipeline.name}"`,
    { hint: `Add it: kith pipelines:add ${pipeline.name} -a ${app.name} --stage production` },
  );
}

function mustFreeName(fold: Fold, name: string, id: PipelineId): string {
  if (!NAME_PATTERN.test(name)) {
    throw new PlatformError('invalid_params', `"${name}" is not a valid name of a pipeline`, {
      hint: 'Names start with a letter and have 3 to 30 lower-case letters, digits and dashes',
    });
  }
  const other = [...fold.view.pipelines.values()].find((each) => each.name === name && each.id !== id);
  if (other === undefined) return name;
  throw new PlatformError('invalid_params', `Name ${name} is already taken`);
}

function refused(app: App, reason: string, hint: string): PlatformError {
  return new PlatformError('invalid_params', `Cannot promote "${app.name}": ${reason}`, { hint });
}
