import { createHash } from 'node:crypto';
import type { PipelineId, PromotionId, SetupId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { assertNever } from '../../src/step.ts';
import { appId, blobId, sealed, slugOf } from './builders.ts';

/** A UUID that a text stands for. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- a test names things of any sort
export function uuid<Id extends string>(text: string): Id {
  const hex = createHash('sha256').update(text).digest('hex');
  return [0, 8, 12, 16, 20].map((from, at) => hex.slice(from, [8, 12, 16, 20, 32][at])).join('-') as Id;
}

export const SHOP = uuid<PipelineId>('pipeline shop');
const PROMOTION = uuid<PromotionId>('promotion 1');
const SETUP = uuid<SetupId>('setup 1');

/** What happens around pipelines, of app `n` and another. */
export const PIPELINE_HAPPENINGS = [
  'pipeline',
  'unpipeline',
  'stage-config',
  'review',
  'couple',
  'uncouple',
  'promotion',
  'promote',
  'setup',
  'settle',
  'slug',
] as const;
export type PipelineHappening = (typeof PIPELINE_HAPPENINGS)[number];

/** @param salt tells writes of different peers apart */
export function pipelineCommand(what: PipelineHappening, n: number, salt: string): Command {
  const app = appId(n);
  switch (what) {
    case 'pipeline':
      return { type: 'pipeline.set', pipeline: SHOP, name: `shop-${salt.slice(-3).toLowerCase()}` };
    case 'unpipeline':
      return { type: 'pipeline.remove', pipeline: uuid(`pipeline ${salt}`) };
    case 'stage-config':
      return {
        type: 'pipeline.config',
        pipeline: SHOP,
        stage: 'review',
        config: n === 1 ? { A: sealed(salt) } : { A: null },
      };
    case 'review':
      return {
        type: 'pipeline.review',
        pipeline: SHOP,
        review: { baseName: null, destroysStale: n === 1, staleDays: 5 },
      };
    case 'couple':
      return {
        type: 'coupling.set',
        app,
        coupling: { pipeline: SHOP, stage: n === 1 ? 'staging' : 'production' },
      };
    case 'uncouple':
      return { type: 'coupling.set', app, coupling: null };
    case 'promotion':
      return {
        type: 'promotion.create',
        promotion: PROMOTION,
        pipeline: SHOP,
        source: appId(1),
        targets: [appId(2)],
      };
    case 'promote':
      return { type: 'release.promote', app: appId(2), promotion: PROMOTION };
    case 'setup': {
      const review = n === 1 ? null : { pipeline: SHOP, branch: 'red', prNumber: 1 };
      const source = blobId(salt);
      const setup = { setup: SETUP, build: 'b', source, version: null, env: {}, buildpacks: null, review };
      return { type: 'setup.create', app: appId(3), name: null, fallbackName: 'red-fog-1', setup };
    }
    case 'settle': {
      const status = n === 1 ? 'succeeded' : 'failed';
      const settled = { setup: SETUP, status, reason: null, manifestErrors: [], postdeploy: null } as const;
      return { type: 'setup.settle', app: appId(3), settled };
    }
    case 'slug':
      return { type: 'slug.create', app, slug: { ...slugOf(salt), upload: 'sent' }, checksum: salt };
    default:
      return assertNever(what);
  }
}
