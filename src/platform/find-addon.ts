import { PlatformError } from '../errors.ts';
import type { AddonId } from '../ids.ts';
import type { Addon, Attachment } from '../ledger/addons/addon-types.ts';
import { liveAddons } from '../ledger/addons/attachments.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { View } from '../ledger/view.ts';
import { attachmentsIn } from './addon.ts';

/**
 * What a user may mean by a name: an add-on's id or name, an attachment of the app, a service (`acme-redis`) or a plan
 * (`acme-redis:mini`) of which the app has one.
 * @param app where attachments and services are looked for; null: only ids and names count
 */
export function resolveAddons(view: View, app: App | null, name: string): readonly Addon[] {
  const all = liveAddons(view);
  const exact = all.filter((addon) => addon.id === name.toLowerCase() || addon.name === name);
  if (exact.length > 0) return exact;
  if (app === null) {
    const [appName, attachmentName] = name.split('::', 2);
    const named =
      attachmentName === undefined
        ? undefined
        : view.apps.get(view.names.get(appName ?? '') ?? ('' as never));
    return named === undefined || attachmentName === undefined
      ? []
      : resolveAddons(view, named, attachmentName);
  }
  const attached = attachmentsIn(app).filter((attachment) => attachment.name === name.toUpperCase());
  const found = all.filter(({ id }) => attached.some(({ addon }) => addon === id));
  if (found.length > 0) return found;
  const here = new Set([...attachmentsIn(app).map(({ addon }) => addon), ...app.addons.keys()]);
  return all.filter(
    ({ id, service, plan }) => here.has(id) && (service === name || `${service}:${plan}` === name),
  );
}

/** @throws PlatformError `not_found`, or `multiple_matches` where several fit */
export function mustFindAddon(view: View, app: App | null, name: string): Addon {
  const found = resolveAddons(view, app, name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) throw noAddon(name);
  throw new PlatformError(
    'multiple_matches',
    `"${name}" could be ${found.map((addon) => addon.name).join(' or ')}.`,
    {
      resource: 'add_on',
      hint: 'Name one by its own name: see `addons`',
    },
  );
}

export function noAddon(name: string): PlatformError {
  return new PlatformError('not_found', `Couldn't find the add-on "${name}".`, {
    resource: 'add_on',
    hint: 'See `kith addons --all` for those there are',
  });
}

/** The attachment of an id or, in an app, of a name. */
export function resolveAttachments(
  view: View,
  app: App | null,
  name: string,
): readonly { readonly app: App; readonly attachment: Attachment }[] {
  const apps = app === null ? [...view.apps.values()].filter(({ destroyed }) => !destroyed) : [app];
  const all = apps.flatMap((each) => attachmentsIn(each).map((attachment) => ({ app: each, attachment })));
  const exact = all.filter(({ attachment }) => attachment.id === name.toLowerCase());
  if (exact.length > 0) return exact;
  if (app !== null) {
    const named = all.filter(({ attachment }) => attachment.name === name.toUpperCase());
    if (named.length > 0) return named;
  }
  const addons = new Set<AddonId>(resolveAddons(view, app, name).map(({ id }) => id));
  return all.filter(({ attachment }) => addons.has(attachment.addon));
}

/**
 * @param isVisible the asker may see that app: what is in others is not there for them
 * @throws PlatformError `not_found`, or `multiple_matches`
 */
export function mustFindAttachment(
  view: View,
  app: App | null,
  name: string,
  isVisible: (app: App) => boolean,
): { readonly app: App; readonly attachment: Attachment } {
  const found = resolveAttachments(view, app, name).filter((each) => isVisible(each.app));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) {
    throw new PlatformError('not_found', `Couldn't find the add-on attachment "${name}".`, {
      resource: 'add_on attachment',
      hint: 'See `kith addons` for those there are',
    });
  }
  const names = found.map((each) => `${each.app.name}::${each.attachment.name}`).join(' or ');
  throw new PlatformError('multiple_matches', `"${name}" could be ${names}.`, {
    resource: 'add_on attachment',
    hint: 'Name one by its own name',
  });
}
