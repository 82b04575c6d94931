import type { AppId, PipelineId } from '../ids.ts';

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
