import type { AppId, OpId, PipelineId, PromotionId } from '../../ids.ts';
import type { Sealed, UserEmail } from '../values.ts';
import type { SlugRef } from '../releases/release-types.ts';

/** From the first look at a branch to what customers see, in the order in which code is promoted. */
export const STAGES = ['test', 'review', 'development', 'staging', 'production'] as const;
export type Stage = (typeof STAGES)[number];

/** An app's place in a pipeline. */
export type CouplingPlace = { readonly pipeline: PipelineId; readonly stage: Stage };

/** How a pipeline makes review apps, and when it removes them. */
export type ReviewSettings = {
  /** What their names begin with; null: the pipeline's name. */
  readonly baseName: string | null;
  /** Whether those that nothing was deployed to for `staleDays` are destroyed. */
  readonly destroysStale: boolean;
  readonly staleDays: number;
};

/** What a review app is for. */
export type ReviewOf = {
  readonly pipeline: PipelineId;
  readonly branch: string;
  readonly prNumber: number | null;
};

/**
 * What the release of a promotion bears in place of a client's request, so that each target gets one. No client can
 * send such a Request-Id.
 */
export function promotionRequest(promotion: string, target: AppId): string {
  return `promotion/${promotion}/${target}`;
}

/** The same for the release of an app setup. */
export function setupRequest(setup: string): string {
  return `setup/${setup}`;
}

/** Pipelines, the apps in them, and promotions from one to the next. */
export type PipelineBody =
  /** Makes, renames or gives away a pipeline. */
  | {
      readonly kind: 'pipeline.set';
      readonly pipeline: PipelineId;
      readonly name: string;
      readonly owner: UserEmail;
    }
  | { readonly kind: 'pipeline.remove'; readonly pipeline: PipelineId }
  /** Config vars that apps of a stage start with. */
  | {
      readonly kind: 'pipeline.config';
      readonly pipeline: PipelineId;
      readonly stage: Stage;
      readonly config: Readonly<Record<string, Sealed | null>>;
    }
  | {
      readonly kind: 'pipeline.review';
      readonly pipeline: PipelineId;
      readonly review: ReviewSettings | null;
    }
  /** Where the app stands; an app is in one pipeline at most. */
  | { readonly kind: 'coupling.set'; readonly app: AppId; readonly coupling: CouplingPlace | null }
  /** Each target is to get a release of this slug, with its own config. Whoever is its home makes them. */
  | {
      readonly kind: 'promotion.create';
      readonly promotion: PromotionId;
      readonly pipeline: PipelineId;
      readonly source: AppId;
      readonly release: OpId;
      readonly slug: SlugRef;
      readonly description: string;
      readonly targets: readonly AppId[];
      readonly user: UserEmail;
    };

export type PipelineCommand =
  /** Makes a pipeline, or changes what is given of it. */
  | {
      readonly type: 'pipeline.set';
      readonly pipeline: PipelineId;
      readonly name?: string;
      readonly owner?: UserEmail;
    }
  | { readonly type: 'pipeline.remove'; readonly pipeline: PipelineId }
  | {
      readonly type: 'pipeline.config';
      readonly pipeline: PipelineId;
      readonly stage: Stage;
      readonly config: Readonly<Record<string, Sealed | null>>;
    }
  | {
      readonly type: 'pipeline.review';
      readonly pipeline: PipelineId;
      readonly review: ReviewSettings | null;
    }
  | { readonly type: 'coupling.set'; readonly app: AppId; readonly coupling: CouplingPlace | null }
  /** What the source runs now is to be released at each target. */
  | {
      readonly type: 'promotion.create';
      readonly promotion: PromotionId;
      readonly pipeline: PipelineId;
      readonly source: AppId;
      readonly targets: readonly AppId[];
    }
  /** One target's part of a promotion; said again, it writes nothing. */
  | { readonly type: 'release.promote'; readonly app: AppId; readonly promotion: PromotionId };

export type Pipeline = {
  readonly id: PipelineId;
  /** Unique. */
  readonly name: string;
  readonly owner: UserEmail;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Config vars that apps of a stage start with, by `STAGE KEY`. */
  readonly config: ReadonlyMap<string, Sealed>;
  /** Null where review apps are off. */
  readonly review: ReviewSettings | null;
};

export type Coupling = CouplingPlace & { readonly updatedAt: number };

/** Each target is to get this slug. What became of that is told by the target's releases. */
export type Promotion = {
  readonly promotion: PromotionId;
  /** The op. */
  readonly op: OpId;
  readonly pipeline: PipelineId;
  readonly source: AppId;
  /** The op of the release that was promoted. */
  readonly release: OpId;
  readonly slug: SlugRef;
  readonly description: string;
  readonly targets: readonly AppId[];
  readonly user: UserEmail;
  readonly createdAt: number;
};
