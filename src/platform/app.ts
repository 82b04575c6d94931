import type { App } from '../ledger/apps/app-types.ts';
import type { View } from '../ledger/view.ts';
import { PlatformError } from '../errors.ts';
import type { AppId } from '../ids.ts';
import { userResource } from './account.ts';
import type { UserResource } from './account.ts';
import { regionRef, STACK_NAME, stackRef } from './stack.ts';
import type { NamedResource } from './stack.ts';
import { uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

export type AppRef = { readonly id: string; readonly name: string };

export type AppResource = {
  readonly id: string;
  readonly name: string;
  readonly web_url: string;
  readonly git_url: string;
  readonly owner: UserResource;
  readonly region: NamedResource;
  readonly stack: NamedResource;
  readonly build_stack: NamedResource;
  readonly generation: NamedResource;
  readonly acm: boolean;
  readonly repo_size: number | null;
  readonly slug_size: number | null;
  readonly maintenance: boolean;
  readonly create_status: 'complete';
  readonly buildpack_provided_description: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly released_at: string | null;
  readonly archived_at: null;
  readonly internal_routing: null;
  readonly organization: null;
  readonly team: NamedResource;
  readonly space: null;
  readonly process_tier: 'production';
};

export function appRef(app: App): AppRef {
  return { id: app.id, name: app.name };
}

/**
 * @param urls where the app is served and where its git repository is, as the client reaches them
 * @param team the cluster, which Heroku's clients take for the team that owns all apps
 */
export function appResource(
  app: App,
  urls: { readonly web: string; readonly git: string },
  team: NamedResource,
): AppResource {
  const release = app.current === null ? undefined : app.releases.get(app.current);
  const stack = stackRef(release?.slug?.stack ?? STACK_NAME);
  return {
    id: app.id,
    name: app.name,
    web_url: urls.web,
    git_url: urls.git,
    owner: userResource(app.owner),
    region: regionRef(),
    stack,
    build_stack: stack,
    generation: { id: uuidOf('generation', 'cedar'), name: 'cedar' },
    acm: app.acm.on,
    repo_size: null,
    slug_size: release?.slug?.bytes ?? null,
    maintenance: app.maintenance,
    create_status: 'complete',
    buildpack_provided_description: release?.slug?.buildpack ?? null,
    created_at: isoTime(app.createdAt),
    updated_at: isoTime(app.updatedAt),
    released_at: release === undefined ? null : isoTime(release.createdAt),
    archived_at: null,
    internal_routing: null,
    organization: null,
    team,
    space: null,
    process_tier: 'production',
  };
}

/** The live app with this id or shown name. */
export function findApp(view: View, idOrName: string): App | null {
  const app = view.apps.get(view.names.get(idOrName) ?? (idOrName as AppId));
  return app === undefined || app.destroyed ? null : app;
}

export function mustFindApp(view: View, idOrName: string): App {
  const app = findApp(view, idOrName);
  if (app !== null) return app;
  throw new PlatformError('not_found', `Couldn't find the app "${idOrName}".`, {
    resource: 'app',
    hint: 'See `kith apps` for those there are',
  });
}

/** Live apps by name. */
export function liveApps(view: View): readonly App[] {
  return [...view.apps.values()].filter((app) => !app.destroyed).sort((a, b) => (a.name < b.name ? -1 : 1));
}
