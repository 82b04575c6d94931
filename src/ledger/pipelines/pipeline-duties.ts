import type { AppId, PromotionId } from '../../ids.ts';
import type { App } from '../apps/app-types.ts';
import type { Duty } from '../duty.ts';
import type { View } from '../view.ts';
import { promotionRequest } from './pipeline-types.ts';
import type { Promotion } from './pipeline-types.ts';

const PROMOTION = 'promotion/';
const SETUP = 'setup/';
const REVIEW = 'review/';

/** Releases that promotions have yet to make, apps that are being set up, review apps that are watched for their age. */
export function pipelineDuties(view: View): readonly Duty[] {
  const duties: Duty[] = [];
  for (const promotion of view.promotions.values()) {
    if (done.has(promotion)) continue;
    if (targetsLeft(view, promotion).length > 0) {
      duties.push({ kind: 'promotion', key: PROMOTION + promotion.promotion });
    } else if (promotion.targets.every((target) => view.apps.has(target))) {
      done.add(promotion);
    }
  }
  for (const app of view.apps.values()) {
    if (app.destroyed || app.setup === null) continue;
    if (app.setup.settled === null) duties.push({ kind: 'setup', key: SETUP + app.id });
    else if (goesStale(view, app)) duties.push({ kind: 'review', key: REVIEW + app.id });
  }
  return duties;
}

/**
 * Promotions with nothing left to do. All that there ever were are looked at on every change of the ledger, and what is done
 * stays done: releases and ends of apps are for good, and a fold from the first op on makes promotions of its own.
 */
const done = new WeakSet<Promotion>();

/** The targets that have no release of this promotion yet. What is destroyed gets none. */
export function targetsLeft(view: View, { promotion, targets }: Promotion): readonly AppId[] {
  return targets.filter((target) => {
    const app = view.apps.get(target);
    return app !== undefined && !app.destroyed && !view.requests.has(promotionRequest(promotion, target));
  });
}

function goesStale(view: View, { setup }: App): boolean {
  const pipeline = setup?.review == null ? undefined : view.pipelines.get(setup.review.pipeline);
  return pipeline?.review?.destroysStale === true;
}

export function promotionOf({ key }: Duty): PromotionId {
  return key.slice(PROMOTION.length) as PromotionId;
}

/** The app that a `setup` or `review` duty is about. */
export function appOfDuty({ key }: Duty): AppId {
  return key.slice(key.indexOf('/') + 1) as AppId;
}
