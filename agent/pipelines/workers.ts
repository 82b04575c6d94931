import type { Duty } from '../../src/ledger/duty.ts';
import { carryPromotion } from './promote.ts';
import type { PromoteParts } from './promote.ts';
import { setUp } from './set-up.ts';
import type { SetUpParts } from './set-up.ts';
import { watchReviewApp } from './watch-review-app.ts';

type Worker = (duty: Duty, signal: AbortSignal) => Promise<void>;

/** What this peer does for all of pipelines: the releases of promotions, app setups, the end of stale review apps. */
export function pipelineWorkers(parts: SetUpParts & PromoteParts): {
  readonly [Kind in 'promotion' | 'setup' | 'review']: Worker;
} {
  return {
    promotion: (duty, signal) => carryPromotion(parts, duty, signal),
    setup: (duty, signal) => setUp(parts, duty, signal),
    review: (duty) => watchReviewApp(parts, duty),
  };
}
