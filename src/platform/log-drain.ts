import { PlatformError } from '../errors.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { Drain } from '../ledger/drains/drain-types.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { isoTime } from './time.ts';

export type LogDrainResource = {
  readonly id: string;
  readonly app: AppRef;
  readonly url: string;
  readonly token: string;
  readonly addon: { readonly id: string; readonly name: string } | null;
  readonly created_at: string;
  readonly updated_at: string;
  /** Only where it was asked for: `?extended=true`. */
  readonly extended?: { readonly drain_id: string };
};

/** A drain and its URL in the clear. */
export type OpenDrain = { readonly drain: Drain; readonly url: string };

/** @param url as much of it as the asker may see */
export function logDrainResource(app: App, drain: Drain, url: string, isExtended: boolean): LogDrainResource {
  const { id, token, addon, createdAt, updatedAt } = drain;
  return {
    id,
    app: appRef(app),
    url,
    token,
    addon: addon === null ? null : { id: addon, name: app.addons.get(addon)?.name ?? addon },
    created_at: isoTime(createdAt),
    updated_at: isoTime(updatedAt),
    ...(isExtended ? { extended: { drain_id: id } } : {}),
  };
}

/** The drain of an id, a token or a URL. */
export function mustFindDrain(drains: readonly OpenDrain[], wanted: string): OpenDrain {
  const found = drains.find(({ drain, url }) => [drain.id, drain.token, url].includes(wanted));
  if (found !== undefined) return found;
  throw new PlatformError('not_found', "Couldn't find that drain.", {
    resource: 'log_drain',
    hint: 'See `kith drains` for those there are',
  });
}
