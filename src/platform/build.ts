import type { App } from '../ledger/apps/app-types.ts';
import type { Build } from '../ledger/releases/release-types.ts';
import { userResource } from './account.ts';
import type { UserResource } from './account.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { buildpackRef } from './buildpack-installation.ts';
import { releaseUuid } from './ids.ts';
import { slugIdOf } from './slug.ts';
import { STACK_NAME } from './stack.ts';
import { isoTime } from './time.ts';

/** A build of the ledger, or one that is under way at this peer. */
export type AnyBuild = Omit<Build, 'status'> & { readonly status: 'pending' | 'succeeded' | 'failed' };

export type BuildResource = {
  readonly id: string;
  readonly app: AppRef;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly output_stream_url: string;
  readonly source_blob: {
    readonly url: string | null;
    readonly version: string | null;
    readonly checksum: null;
  };
  readonly release: { readonly id: string } | null;
  readonly slug: { readonly id: string } | null;
  readonly buildpacks: readonly { readonly url: string; readonly name: string }[];
  readonly stack: string;
  readonly user: UserResource;
  readonly created_at: string;
  readonly updated_at: string;
};

export function buildResource(app: App, build: AnyBuild, outputUrl: string): BuildResource {
  const slug = build.release === null ? null : (app.releases.get(build.release)?.slug ?? null);
  return {
    id: build.build,
    app: appRef(app),
    status: build.status,
    output_stream_url: outputUrl,
    source_blob: { url: null, version: build.commit, checksum: null },
    release: build.release === null ? null : { id: releaseUuid(build.release) },
    slug: slug === null ? null : { id: slugIdOf(slug) },
    buildpacks: build.buildpacks.map(buildpackRef),
    stack: slug?.stack ?? STACK_NAME,
    user: userResource(build.user),
    created_at: isoTime(build.createdAt),
    updated_at: isoTime(build.updatedAt),
  };
}
