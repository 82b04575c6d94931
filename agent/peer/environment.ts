import type { DynoLife } from '../../src/dynos/types.ts';
import { PlatformError } from '../../src/errors.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { View } from '../../src/ledger/view.ts';
import type { DataKeys } from '../keys/data-keys.ts';

/** The environment of a formation dyno; throws `not_found` when its release is not in the ledger here. */
export function lifeEnvironment({ slot }: DynoLife, view: View, keys: DataKeys): Record<string, string> {
  const app = view.apps.get(slot.app);
  const release = app?.releases.get(slot.release);
  if (app === undefined || release === undefined) {
    throw new PlatformError('not_found', `Release "${slot.release}" of app "${slot.app}" is not here`);
  }
  return dynoEnvironment(app, release, `${slot.type}.${slot.index}`, keys);
}

/** Config vars in clear, and the platform's own, which config never overrides. */
export function dynoEnvironment(
  app: App,
  release: Release,
  name: string,
  keys: DataKeys,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [key, { value }] of release.config) {
    if (value !== null) env[key] = keys.open(app.id, key, value);
  }
  return { ...env, ...platformVars(app, release), DYNO: name, PS: name };
}

/** Vars that the platform gives every dyno besides the app's config. */
function platformVars(app: App, release: Release): Record<string, string> {
  return {
    KITH_APP_NAME: app.name,
    KITH_APP_ID: app.id,
    KITH_RELEASE_VERSION: `v${release.number}`,
    HEROKU_APP_NAME: app.name,
    HEROKU_APP_ID: app.id,
    HEROKU_RELEASE_VERSION: `v${release.number}`,
    HEROKU_RELEASE_CREATED_AT: new Date(release.createdAt).toISOString(),
    HEROKU_SLUG_COMMIT: release.slug?.commit ?? '',
    HEROKU_SLUG_DESCRIPTION: release.description,
  };
}
