import { PlatformError } from '../../../src/errors.ts';
import type { AppId, OpId } from '../../../src/ids.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import type { Release } from '../../../src/ledger/releases/release-types.ts';
import { releasesInOrder } from '../../../src/platform/release.ts';
import type { ApiRequest } from '../api.ts';

/** The app that `app.create` made: under the id that was asked for or, where the request was a repeat, the earlier one. */
export async function createdApp(request: ApiRequest, asked: AppId, ops: readonly OpId[]): Promise<App> {
  const { host } = request.api;
  const found = host.view().apps.get(asked);
  if (found !== undefined) return found;
  for (const id of ops) {
    const app = appOf((await host.op(id))?.body);
    const earlier = app === null ? undefined : host.view().apps.get(app);
    if (earlier !== undefined) return earlier;
  }
  throw notThere('app');
}

/** The release that a command made. Its op may bear a lesser id than ours, where another peer wrote the same release. */
export function madeRelease(request: ApiRequest, app: App, ops: readonly OpId[]): Release {
  const releases = [...releasesInOrder(app)].reverse();
  const id = request.context.request;
  const found =
    releases.find((release) => ops.includes(release.op)) ??
    releases.find((release) => id !== null && release.request === id) ??
    releases.find((release) => release.id === app.current);
  if (found !== undefined) return found;
  throw notThere('release');
}

/** A repeated request whose first result is not (or no longer) to be found. */
export function notThere(resource: string): PlatformError {
  return new PlatformError(
    'conflict',
    `The ${resource} of this request was made before and is gone, or is another's`,
    {
      resource,
      hint: 'Send a new Request-Id to make another',
    },
  );
}

function appOf(body: unknown): AppId | null {
  if (typeof body !== 'object' || body === null || !('app' in body)) return null;
  return typeof body.app === 'string' ? (body.app as AppId) : null;
}
