import { PlatformError } from '../errors.ts';
import type { PromotionId, ReleaseId } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { promotionRequest } from '../ledger/pipelines/pipeline-types.ts';
import type { Promotion } from '../ledger/pipelines/pipeline-types.ts';
import type { Release } from '../ledger/releases/release-types.ts';
import type { View } from '../ledger/view.ts';
import { releaseUuid, uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

export type PromotionStatus = 'pending' | 'completed';

export type PromotionResource = {
  readonly id: string;
  readonly pipeline: { readonly id: string };
  readonly source: {
    readonly app: { readonly id: string };
    readonly release: { readonly id: string } | null;
  };
  readonly status: PromotionStatus;
  readonly created_at: string;
  readonly updated_at: string;
};

export type PromotionTargetResource = {
  readonly id: string;
  readonly app: { readonly id: string };
  readonly pipeline_promotion: { readonly id: string };
  readonly release: { readonly id: string } | null;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly error_message: string | null;
};

export function promotionResource(view: View, promotion: Promotion): PromotionResource {
  const { promotion: id, pipeline, source, createdAt } = promotion;
  const targets = promotionTargets(view, promotion);
  const isDone = targets.every(({ status }) => status !== 'pending');
  const release = [...(view.apps.get(source)?.releases.values() ?? [])].find(
    ({ op }) => op === promotion.release,
  );
  return {
    id,
    pipeline: { id: pipeline },
    source: { app: { id: source }, release: release === undefined ? null : { id: releaseUuid(release.id) } },
    status: isDone ? 'completed' : 'pending',
    created_at: isoTime(createdAt),
    updated_at: isoTime(createdAt),
  };
}

/** What became of a promotion, told by the targets' releases alone. */
export function promotionTargets(
  view: View,
  { promotion, targets }: Promotion,
): readonly PromotionTargetResource[] {
  return targets.map((target) => {
    const app = view.apps.get(target);
    const release = app === undefined ? undefined : releaseOf(app, promotion);
    const { status, error } = outcomeOf(app, release);
    return {
      id: uuidOf('promotion-target', `${promotion}/${target}`),
      app: { id: target },
      pipeline_promotion: { id: promotion },
      release: release === undefined ? null : { id: releaseUuid(release.id) },
      status,
      error_message: error,
    };
  });
}

export function mustFindPromotion(view: View, id: string): Promotion {
  const found = view.promotions.get(id.toLowerCase() as PromotionId);
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the promotion "${id}".`, {
    resource: 'pipeline_promotion',
  });
}

/** The release that a promotion made at a target: the earliest, where two sides of a split made one each. */
function releaseOf(app: App, promotion: PromotionId): Release | undefined {
  const request = promotionRequest(promotion, app.id);
  return [...app.releases.values()]
    .filter((release) => release.cause === 'promote' && release.request === request)
    .sort((a, b) => a.number - b.number || compare(a.id, b.id))[0];
}

function outcomeOf(
  app: App | undefined,
  release: Release | undefined,
): { status: PromotionTargetResource['status']; error: string | null } {
  if (app === undefined || (app.destroyed && release?.status !== 'succeeded'))
    return { status: 'failed', error: 'The app was destroyed' };
  if (release === undefined) return { status: 'pending', error: null };
  if (release.status !== 'failed') return { status: release.status, error: null };
  const reason = release.settled?.reason ?? null;
  return { status: 'failed', error: `Its release command failed${reason === null ? '' : `: ${reason}`}` };
}

const compare = (a: ReleaseId, b: ReleaseId): number => (a < b ? -1 : Number(a > b));
