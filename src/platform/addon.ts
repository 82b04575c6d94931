import { PlatformError } from '../errors.ts';
import type { AddonId } from '../ids.ts';
import type { Addon, AddonState, Attachment } from '../ledger/addon-types.ts';
import { attachedHere, findAddonById, liveAddons, varsOf } from '../ledger/attachments.ts';
import type { App, View } from '../ledger/view.ts';
import type { AddonService } from '../shell/addon-provider.ts';
import { planResource, priceOf, serviceResource } from './addon-service.ts';
import type { AddonServiceRef, AddonServiceResource, PlanResource, PriceResource } from './addon-service.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

export type AddonResource = {
  readonly id: string;
  readonly name: string;
  readonly app: AppRef;
  readonly addon_service: AddonServiceRef | AddonServiceResource;
  readonly plan: PlanResource;
  readonly state: AddonState;
  readonly config_vars: readonly string[];
  readonly billed_price: PriceResource;
  readonly billing_entity: { readonly id: string; readonly name: string; readonly type: 'app' };
  readonly provider_id: string | null;
  /** What the provider said to whom it made it for. */
  readonly provision_message: string | null;
  readonly web_url: string | null;
  readonly actions: readonly never[];
  readonly created_at: string;
  readonly updated_at: string;
};

export type AttachmentResource = {
  readonly id: string;
  readonly name: string;
  readonly namespace: string | null;
  readonly addon: { readonly id: string; readonly name: string; readonly app: AppRef };
  readonly app: AppRef;
  readonly config_vars: readonly string[];
  readonly web_url: string | null;
  readonly log_input_url: null;
  readonly created_at: string;
  readonly updated_at: string;
};

/** Named, as a client does not know what is gone: a service that was removed, an owner that was destroyed. */
const NO_PLAN = { humanName: 'Not offered any more', description: '', cents: 0 };

/** @param webUrl its page, where it has one */
export function addonResource(
  view: View,
  services: readonly AddonService[],
  addon: Addon,
  webUrl: string | null,
): AddonResource {
  const app = view.apps.get(addon.app);
  const owner = app === undefined ? { id: addon.app, name: '' } : appRef(app);
  const service = services.find(({ id }) => id === addon.service) ?? goneService(addon);
  const plan = service.plans.find(({ name }) => name === addon.plan) ?? { ...NO_PLAN, name: addon.plan };
  const own = app === undefined ? [] : attachedHere(app, addon.id);
  const isReady = addon.state === 'provisioned';
  return {
    id: addon.id,
    name: addon.name,
    app: owner,
    addon_service: serviceResource(service),
    plan: planResource(service, plan),
    state: addon.state,
    config_vars: isReady
      ? varsOf(addon, own.length > 0 ? own : [addon.attachment]).flatMap(({ name, value }) =>
          value === null ? [] : [name],
        )
      : [],
    billed_price: priceOf(plan.cents),
    billing_entity: { ...owner, type: 'app' },
    provider_id: addon.providerId,
    provision_message: addon.message,
    web_url: webUrl,
    actions: [],
    created_at: isoTime(addon.createdAt),
    updated_at: isoTime(addon.updatedAt),
  };
}

function goneService({ service, prefix }: Addon): AddonService {
  return { id: service, name: service, prefix, configVars: [], plans: [], isBuiltIn: false };
}

export function attachmentResource(
  view: View,
  app: App,
  attachment: Attachment,
  webUrl: string | null,
): AttachmentResource {
  const addon = findAddonById(view, attachment.addon);
  const owner = addon === null ? undefined : view.apps.get(addon.app);
  const said = app.releases.get(attachment.by);
  const time = isoTime(said?.createdAt ?? 0);
  return {
    id: attachment.id,
    name: attachment.name,
    namespace: attachment.namespace,
    addon: {
      id: attachment.addon,
      name: addon?.name ?? '',
      app: owner === undefined ? appRef(app) : appRef(owner),
    },
    app: appRef(app),
    config_vars:
      addon === null
        ? []
        : varsOf(addon, [attachment]).flatMap(({ name, value }) => (value === null ? [] : [name])),
    web_url: webUrl,
    log_input_url: null,
    created_at: time,
    updated_at: time,
  };
}

/** Those that an app owns and that are not gone, by name. */
export function addonsOf(app: App): readonly Addon[] {
  return [...app.addons.values()].filter(({ state }) => state !== 'deprovisioned').sort(byName);
}

export function attachmentsIn(app: App): readonly Attachment[] {
  return [...app.attachments.values()].sort(byName);
}

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
    hint: 'See `addons --all` for those there are',
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

/** @throws PlatformError `not_found`, or `multiple_matches` */
export function mustFindAttachment(
  view: View,
  app: App | null,
  name: string,
): { readonly app: App; readonly attachment: Attachment } {
  const found = resolveAttachments(view, app, name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) {
    throw new PlatformError('not_found', `Couldn't find the add-on attachment "${name}".`, {
      resource: 'add_on attachment',
      hint: 'See `addons` for those there are',
    });
  }
  const names = found.map((each) => `${each.app.name}::${each.attachment.name}`).join(' or ');
  throw new PlatformError('multiple_matches', `"${name}" could be ${names}.`, {
    resource: 'add_on attachment',
    hint: 'Name one by its own name',
  });
}

/** `acme-redis-curved-12345`: which word and number come from the id. */
export function addonNameOf(service: string, id: AddonId): string {
  const seed = uuidOf('addon-name', id);
  const word = WORDS[Number.parseInt(seed.slice(0, 6), 16) % WORDS.length] ?? 'flat';
  const number = 10_000 + (Number.parseInt(seed.slice(24, 32), 16) % 90_000);
  return `${service}-${word}-${number}`;
}

const WORDS = [
  'acute',
  'angular',
  'animated',
  'asymmetrical',
  'clean',
  'clear',
  'closed',
  'colorful',
  'concave',
  'concentric',
  'contoured',
  'convex',
  'cubed',
  'curly',
  'curved',
  'cylindrical',
  'deep',
  'defined',
  'dimensional',
  'elliptical',
  'encircled',
  'fitted',
  'fixed',
  'flat',
  'flexible',
  'fluffy',
  'globular',
  'graceful',
  'horizontal',
  'infinite',
  'lively',
  'metric',
  'objective',
  'octagonal',
  'opaque',
  'parallel',
  'perpendicular',
  'pointy',
  'polished',
  'reticulated',
  'rigid',
  'round',
  'rugged',
  'shallow',
  'shaped',
  'sinuous',
  'slippery',
  'solid',
  'spherical',
  'symmetrical',
  'tapered',
  'transparent',
  'trapezoidal',
  'triangular',
  'vertical',
] as const;

const byName = (a: { name: string; id: string }, b: { name: string; id: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1;
