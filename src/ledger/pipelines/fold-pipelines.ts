import type { PipelineId, PromotionId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import { assignNames } from '../names.ts';
import type { FoldOp } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import type { Sealed, UserEmail } from '../values.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Pipeline, PipelineBody, Promotion, ReviewSettings, Stage } from './pipeline-types.ts';

/** Pipelines as registers, and the promotions that were ever asked for. */
export type PipelinesState = {
  readonly pipelines: ReadonlyMap<PipelineId, PipelineState>;
  readonly promotions: ReadonlyMap<PromotionId, Promotion>;
};

export type PipelineState = {
  /** Wall ms of its first and its latest op. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly set: Register<{ readonly name: string; readonly owner: UserEmail }>;
  /** Config vars that review apps start with, by `STAGE KEY`. */
  readonly config: ReadonlyMap<string, Register<Sealed | null>>;
  readonly review: Register<ReviewSettings | null>;
  /** A tombstone: no later write revives it. */
  readonly removed: boolean;
};

/** An app's place in one is a register of that app. */
type OwnBody = Exclude<PipelineBody, OpBodyOf<'coupling.set'>>;

const NEW: PipelineState = {
  createdAt: Infinity,
  updatedAt: 0,
  set: [],
  config: new Map(),
  review: [],
  removed: false,
};

export function noPipelines(): PipelinesState {
  return { pipelines: new Map(), promotions: new Map() };
}

export function configKeyOf(stage: Stage, key: string): string {
  return `${stage} ${key}`;
}

export function applyPipeline(state: PipelinesState, op: FoldOp, body: OwnBody): PipelinesState {
  if (body.kind === 'promotion.create') {
    const known = state.promotions.get(body.promotion);
    // One id is made once; should two peers have taken the same request, the first counts.
    if (known !== undefined && known.op <= op.id) return state;
    const { kind: _, ...said } = body;
    const promotion = { ...said, op: op.id, createdAt: op.hlc.ms };
    return { ...state, promotions: new Map(state.promotions).set(body.promotion, promotion) };
  }
  const before = state.pipelines.get(body.pipeline) ?? NEW;
  const seen = {
    ...before,
    createdAt: Math.min(before.createdAt, op.hlc.ms),
    updatedAt: Math.max(before.updatedAt, op.hlc.ms),
  };
  const after = { ...seen, ...changed(before, op, body) };
  return { ...state, pipelines: new Map(state.pipelines).set(body.pipeline, after) };
}

function changed(
  before: PipelineState,
  { id, hlc, parents }: FoldOp,
  body: Exclude<OwnBody, OpBodyOf<'promotion.create'>>,
): Partial<PipelineState> {
  switch (body.kind) {
    case 'pipeline.set': {
      const { name, owner } = body;
      return { set: writeRegister(before.set, { id, hlc, value: { name, owner } }, parents) };
    }
    case 'pipeline.config': {
      const config = new Map(before.config);
      for (const [key, value] of Object.entries(body.config)) {
        const at = configKeyOf(body.stage, key);
        config.set(at, writeRegister(config.get(at), { id, hlc, value }, parents));
      }
      return { config };
    }
    case 'pipeline.review':
      return { review: writeRegister(before.review, { id, hlc, value: body.review }, parents) };
    case 'pipeline.remove':
      return { removed: true };
    default:
      return assertNever(body);
  }
}

/** Those that were not removed. Of two of one name, made on two sides of a split, the later is shown as `name-xxxx`. */
export function toPipelines({ pipelines }: PipelinesState): ReadonlyMap<PipelineId, Pipeline> {
  const live = [...pipelines].flatMap(([id, state]) => {
    const [set] = state.set;
    return state.removed || set === undefined ? [] : [{ id, state, set }];
  });
  const names = assignNames(live.map(({ id, set }) => ({ id, wanted: set.value.name, hlc: set.hlc })));
  const nameOf = new Map([...names].map(([name, id]) => [id, name]));
  return new Map(
    live.map(({ id, state, set }) => {
      const { createdAt, updatedAt } = state;
      const { name, owner } = set.value;
      const review = state.review[0]?.value ?? null;
      const shown = nameOf.get(id) ?? name;
      return [id, { id, name: shown, owner, createdAt, updatedAt, config: toConfig(state), review }];
    }),
  );
}

function toConfig({ config }: PipelineState): ReadonlyMap<string, Sealed> {
  return new Map(
    [...config].flatMap(([key, [write]]) => (write?.value == null ? [] : [[key, write.value] as const])),
  );
}
