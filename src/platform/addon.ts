import type { Addon, AddonState, Attachment } from '../ledger/addons/addon-types.ts';
import { attachedHere, findAddonById, varsOf } from '../ledger/addons/attachments.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { View } from '../ledger/view.ts';
import type { AddonService } from '../shell/addon-provider.ts';
import { planResource, priceOf, serviceResource } from './addon-service.ts';
import type { AddonServiceRef, AddonServiceResource, PlanResource, PriceResource } from './addon-service.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
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
  /** Where its provider may post log lines; for that provider alone. */
  readonly log_input_url?: string;
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

const byName = (a: { name: string; id: string }, b: { name: string; id: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1;
