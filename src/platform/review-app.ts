import type { App } from '../ledger/apps/app-types.ts';
import type { Pipeline } from '../ledger/pipelines/pipeline-types.ts';
import type { View } from '../ledger/view.ts';
import { isoTime } from './time.ts';

const DAY_MS = 24 * 3_600_000;
/** As on Heroku. */
export const STALE_DAYS_DEFAULT = 5;
const NAME_LENGTH_MAX = 30;

export type ReviewConfigResource = {
  readonly pipeline: { readonly id: string };
  readonly pipeline_uuid: string;
  readonly repo: { readonly id: null };
  readonly automatic_review_apps: false;
  readonly wait_for_ci: false;
  readonly base_name: string | null;
  readonly destroy_stale_apps: boolean;
  readonly stale_days: number;
  readonly deploy_target: null;
  readonly created_at: string;
  readonly updated_at: string;
};

/** Null where review apps are off. */
export function reviewConfigResource(pipeline: Pipeline): ReviewConfigResource | null {
  const { id, review, createdAt, updatedAt } = pipeline;
  if (review === null) return null;
  return {
    pipeline: { id },
    pipeline_uuid: id,
    repo: { id: null },
    automatic_review_apps: false,
    wait_for_ci: false,
    base_name: review.baseName,
    destroy_stale_apps: review.destroysStale,
    stale_days: review.staleDays,
    deploy_target: null,
    created_at: isoTime(createdAt),
    updated_at: isoTime(updatedAt),
  };
}

/** When a review app is to be destroyed, wall ms, if nothing is released to it until then; null: never. */
export function staleAt(view: View, app: App): number | null {
  const { setup, destroyed, releases } = app;
  const pipeline = setup?.review == null ? undefined : view.pipelines.get(setup.review.pipeline);
  if (destroyed || setup === null || setup.settled === null || !pipeline?.review?.destroysStale) return null;
  const latest = Math.max(setup.createdAt, ...[...releases.values()].map(({ createdAt }) => createdAt));
  return latest + pipeline.review.staleDays * DAY_MS;
}

/** `shop-pr-12`, or `shop-fix-login`: what a review app is called, with `salt` where that is not to be had. */
export function reviewAppName(
  view: View,
  { name, review }: Pipeline,
  of: { readonly branch: string; readonly prNumber: number | null },
  salt: string,
): string {
  const base = (review?.baseName ?? name).toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
  const what =
    of.prNumber === null ? of.branch.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-') : `pr-${of.prNumber}`;
  const plain = trimmed(`${base}-${what}`, NAME_LENGTH_MAX);
  if (/^[a-z][a-z0-9-]+$/.test(plain) && plain.length >= 3 && !view.names.has(plain)) return plain;
  const stem = trimmed(/^[a-z]/.test(plain) ? plain : `app-${plain}`, NAME_LENGTH_MAX - 1 - salt.length);
  return `${stem}-${salt}`;
}

function trimmed(text: string, length: number): string {
  return text.slice(0, length).replace(/-+$/, '');
}
