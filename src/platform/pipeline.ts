import { PlatformError } from '../errors.ts';
import type { PipelineId } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { STAGES } from '../ledger/pipelines/pipeline-types.ts';
import type { Stage, Coupling, Pipeline } from '../ledger/pipelines/pipeline-types.ts';
import type { View } from '../ledger/view.ts';
import { isAllowed } from './access.ts';
import type { Caller } from './access.ts';
import { appRef, liveApps } from './app.ts';
import type { AppRef } from './app.ts';
import { sameUser } from '../rights.ts';
import { userUuid, uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

export type PipelineResource = {
  readonly id: string;
  readonly name: string;
  readonly owner: { readonly id: string; readonly type: 'user'; readonly email: string };
  readonly generation: { readonly id: string; readonly name: 'cedar' };
  readonly created_at: string;
  readonly updated_at: string;
};

export type CouplingResource = {
  readonly id: string;
  readonly app: AppRef;
  readonly pipeline: { readonly id: string; readonly name: string };
  readonly stage: Stage;
  readonly created_at: string;
  readonly updated_at: string;
};

/** An app that is in a pipeline. */
export type Coupled = { readonly app: App; readonly pipeline: Pipeline; readonly coupling: Coupling };

export function pipelineResource({ id, name, owner, createdAt, updatedAt }: Pipeline): PipelineResource {
  return {
    id,
    name,
    owner: { id: userUuid(owner), type: 'user', email: owner },
    generation: { id: uuidOf('generation', 'cedar'), name: 'cedar' },
    created_at: isoTime(createdAt),
    updated_at: isoTime(updatedAt),
  };
}

export function couplingResource({ app, pipeline, coupling }: Coupled): CouplingResource {
  return {
    id: couplingUuid(app),
    app: appRef(app),
    pipeline: { id: pipeline.id, name: pipeline.name },
    stage: coupling.stage,
    created_at: isoTime(coupling.updatedAt),
    updated_at: isoTime(coupling.updatedAt),
  };
}

/** An app is in one pipeline at most, so that its place there is named by it alone. */
export function couplingUuid(app: App): string {
  return uuidOf('coupling', app.id);
}

export function stageResources() {
  return STAGES.map((name) => ({ id: uuidOf('stage', name), name }));
}

/** Where an app stands; null where that is nowhere, or in a pipeline that is gone. */
export function coupledOf(view: View, app: App): Coupled | null {
  const { coupling } = app;
  const pipeline = coupling === null ? undefined : view.pipelines.get(coupling.pipeline);
  return coupling === null || pipeline === undefined ? null : { app, pipeline, coupling };
}

/** The apps of pipelines, by stage and name. */
export function couplingsIn(view: View): readonly Coupled[] {
  return liveApps(view)
    .flatMap((app) => coupledOf(view, app) ?? [])
    .sort((a, b) => STAGES.indexOf(a.coupling.stage) - STAGES.indexOf(b.coupling.stage));
}

/** By name, those that the caller has something to do with. */
export function visiblePipelines(view: View, caller: Caller): readonly Pipeline[] {
  const coupled = couplingsIn(view);
  return [...view.pipelines.values()]
    .filter((pipeline) => isVisible(pipeline, coupled, caller))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The pipeline of an id or a name, if the caller may see it.
 * @throws PlatformError `not_found`
 */
export function mustFindPipeline(view: View, idOrName: string, caller: Caller): Pipeline {
  const found =
    view.pipelines.get(idOrName.toLowerCase() as PipelineId) ??
    [...view.pipelines.values()].find(({ name }) => name === idOrName);
  if (found !== undefined && isVisible(found, couplingsIn(view), caller)) return found;
  throw new PlatformError('not_found', `Couldn't find the pipeline "${idOrName}".`, {
    resource: 'pipeline',
    hint: 'See `kith pipelines` for those there are',
  });
}

/** @throws PlatformError `forbidden` unless the caller owns the pipeline or is an admin */
export function mustOwnPipeline({ owner, name }: Pipeline, caller: Caller): void {
  if (caller.role === 'admin' || sameUser(owner, caller.user)) return;
  throw new PlatformError('forbidden', `You do not have permission to change the pipeline "${name}".`, {
    resource: 'pipeline',
    hint: `It belongs to ${owner}`,
  });
}

/**
 * A review app is given the config vars that its pipeline has for them, and an app that is added may be given the code of the
 * others: to see a pipeline is not enough for either.
 * @throws PlatformError `forbidden` unless the caller owns the pipeline, is an admin, or may deploy one of its apps
 */
export function mustWorkWithPipeline(view: View, pipeline: Pipeline, caller: Caller): void {
  const isOneOfIts = ({ pipeline: { id }, app }: Coupled): boolean =>
    id === pipeline.id && isAllowed(caller, 'deploy', app);
  if (!couplingsIn(view).some(isOneOfIts)) mustOwnPipeline(pipeline, caller);
}

export function mustBeStage(name: string): Stage {
  const stage = STAGES.find((each) => each === name);
  if (stage !== undefined) return stage;
  throw new PlatformError('not_found', `Couldn't find the stage "${name}".`, {
    resource: 'stage',
    hint: `Stages are ${STAGES.join(', ')}`,
  });
}

function isVisible(pipeline: Pipeline, coupled: readonly Coupled[], caller: Caller): boolean {
  if (caller.role !== null || sameUser(pipeline.owner, caller.user)) return true;
  return coupled.some((each) => each.pipeline.id === pipeline.id && isAllowed(caller, 'view', each.app));
}
