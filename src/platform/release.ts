import { hasSameAttachments, planNames } from '../ledger/addons/attachments.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { PlatformError } from '../errors.ts';
import { isInReach } from '../ledger/reach.ts';
import { releaseCommandOf } from '../ledger/releases/release-status.ts';
import type { Release, SlugRef } from '../ledger/releases/release-types.ts';
import { userResource } from './account.ts';
import type { UserResource } from './account.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { releaseUuid } from './ids.ts';
import { slugIdOf } from './slug.ts';
import { isoTime } from './time.ts';

export type ReleaseResource = {
  readonly id: string;
  readonly version: number;
  /** Ours: `v5`, or `v5.k3f9` where both sides of a split made a v5. */
  readonly label: string;
  readonly description: string;
  readonly status: Release['status'];
  readonly current: boolean;
  readonly user: UserResource;
  readonly app: AppRef;
  readonly slug: { readonly id: string } | null;
  readonly addon_plan_names: readonly string[];
  /** Needs no token: it is a secret. Null where the release has no release command. */
  readonly output_stream_url: string | null;
  readonly eligible_for_rollback: boolean;
  readonly created_at: string;
  readonly updated_at: string;
};

/** What its release command writes, or is yet to write: values of add-ons run none, whatever the slug declares. */
function mayHaveOutput({ slug, status, attempts, settled }: Release): boolean {
  if (releaseCommandOf(slug) === null) return false;
  return status === 'pending' || settled !== null || attempts.length > 0;
}

/** @param outputUrl where what its release command writes can be read */
export function releaseResource(
  app: App,
  release: Release,
  outputUrl: (release: Release) => string,
): ReleaseResource {
  return {
    id: releaseUuid(release.id),
    version: release.number,
    label: release.label,
    description: release.description,
    status: release.status,
    current: release.id === app.current,
    user: userResource(release.user),
    app: appRef(app),
    slug: release.slug === null ? null : { id: slugIdOf(release.slug) },
    addon_plan_names: planNames(release),
    output_stream_url: mayHaveOutput(release) ? outputUrl(release) : null,
    eligible_for_rollback:
      release.status === 'succeeded' &&
      release.slug !== null &&
      isInReach(app, release.slug) &&
      hasSameAttachments(app, release),
    created_at: isoTime(release.createdAt),
    updated_at: isoTime(release.settled?.hlc.ms ?? release.createdAt),
  };
}

/** Oldest first; where numbers are equal, in the order that all peers agree on. */
export function releasesInOrder(app: App): readonly Release[] {
  return [...app.releases.values()].sort(
    (a, b) =>
      a.number - b.number ||
      a.hlc.ms - b.hlc.ms ||
      a.hlc.n - b.hlc.n ||
      (a.id < b.id ? -1 : Number(a.id > b.id)),
  );
}

/**
 * The release that a client names by id, `current`, number (`5`, `v5`) or label (`v5.k3f9`).
 * @throws PlatformError `not_found`, or `invalid_params` for a number that two releases bear
 */
export function mustFindRelease(app: App, name: string): Release {
  const all = releasesInOrder(app);
  const wanted = name.replace(/^v(?=\d)/, '');
  const exact = all.find(
    (release) =>
      release.id === name ||
      releaseUuid(release.id) === name.toLowerCase() ||
      release.label === `v${wanted}` ||
      (name === 'current' && release.id === app.current),
  );
  if (exact !== undefined) return exact;
  const numbered = all.filter((release) => String(release.number) === wanted);
  const [only] = numbered;
  if (only !== undefined && numbered.length === 1) return only;
  if (only === undefined) {
    throw new PlatformError('not_found', `Couldn't find the release "${name}" of "${app.name}".`, {
      resource: 'release',
    });
  }
  const labels = numbered.map((release) => release.label).join(', ');
  throw new PlatformError('invalid_params', `"${name}" of "${app.name}" could be ${labels}`, {
    hint: 'Name one by its full label: both sides of a split made a release of this number',
  });
}

/** The slug of one of the app's releases, or one that was sent for it, by the id that both show. */
export function mustFindSlug(app: App, id: string): SlugRef {
  const released = [...app.releases.values()].flatMap(({ slug }) => slug ?? []);
  const sent = [...app.uploads.values()].map(({ slug }) => slug);
  const found = [...released, ...sent].find((slug) => slug.id === id || slugIdOf(slug) === id.toLowerCase());
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the slug "${id}" of "${app.name}".`, {
    resource: 'slug',
  });
}
