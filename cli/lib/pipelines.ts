import { STAGES } from '../../src/ledger/pipelines/pipeline-types.ts';
import type { Stage } from '../../src/ledger/pipelines/pipeline-types.ts';
import type { AppResource } from '../../src/platform/app.ts';
import type { CouplingResource, PipelineResource } from '../../src/platform/pipeline.ts';
import type { Client } from './api/client.ts';
import { CliError, UsageError } from './line/cli-error.ts';

/** In which an app is promoted to the next. */
const PROMOTED: readonly Stage[] = ['development', 'staging', 'production'];

export const STAGE_FLAG = {
  kind: 'string',
  short: 's',
  value: 'STAGE',
  summary: `one of ${STAGES.join(', ')}`,
} as const;

export const PIPELINE_FLAG = {
  kind: 'string',
  short: 'p',
  value: 'PIPELINE',
  summary: 'name or id of the pipeline',
} as const;

export function pipelinePath(pipeline: string, rest = ''): string {
  return `/pipelines/${encodeURIComponent(pipeline)}${rest}`;
}

export function mustPipelineFlag(pipeline: string | undefined): string {
  if (pipeline !== undefined) return pipeline;
  throw new UsageError('No pipeline was named', 'Name one with --pipeline');
}

/** The stage of a flag or, where there is none, as the app's name has it: `blog-staging`. */
export function stageFor(flag: string | undefined, app: string): Stage {
  const named = STAGES.find((each) => each === flag);
  if (named !== undefined) return named;
  if (flag !== undefined)
    throw new UsageError(`There is no stage "${flag}"`, `Stages are ${STAGES.join(', ')}`);
  if (/-(stag(e|ing)|stg)$/.test(app)) return 'staging';
  if (/-(dev|devel|development)$/.test(app)) return 'development';
  return 'production';
}

/** The app's place in its pipeline. */
export function couplingOf(api: Client, app: string): Promise<CouplingResource> {
  return api.get<CouplingResource>(`/apps/${encodeURIComponent(app)}/pipeline-couplings`);
}

export type Place = { readonly stage: Stage; readonly app: AppResource };

/** The apps of a pipeline, by stage. */
export async function placesIn(api: Client, pipeline: string): Promise<readonly Place[]> {
  const couplings = await api.get<readonly CouplingResource[]>(pipelinePath(pipeline, '/pipeline-couplings'));
  const ids = couplings.map(({ app }) => app.id);
  const apps = await api.post<readonly AppResource[]>('/filters/apps', { in: { id: ids } });
  return couplings.flatMap(({ app, stage }) => {
    const found = apps.find(({ id }) => id === app.id);
    return found === undefined ? [] : [{ stage, app: found }];
  });
}

/** The apps of the stage after this one. */
export function downstreamOf(places: readonly Place[], { app, stage }: CouplingResource): readonly Place[] {
  const next = PROMOTED[PROMOTED.indexOf(stage) + 1];
  if (next === undefined || !PROMOTED.includes(stage)) {
    throw new CliError(`Nothing comes after ${app.name}: it is at the stage ${stage}`, {
      hint: 'Name apps with --to',
    });
  }
  const found = places.filter((place) => place.stage === next);
  if (found.length > 0) return found;
  throw new CliError(`Nothing comes after ${app.name}: no app of the pipeline is at the stage ${next}`, {
    hint: 'Add one: kith pipelines:add',
  });
}

export async function findPipeline(api: Client, named: string): Promise<PipelineResource> {
  return api.get<PipelineResource>(pipelinePath(named));
}
