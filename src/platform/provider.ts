import { liveAddons } from '../ledger/addons/attachments.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { ProviderManifest } from '../ledger/addons/provider-types.ts';
import type { AddonService } from '../shell/addon-provider.ts';
import type { View } from '../ledger/view.ts';
import type { ManifestBody } from './endpoints/kith-providers.ts';

export type ProviderResource = {
  readonly id: string;
  readonly name: string;
  readonly built_in: boolean;
  /** Null for built-in ones, and to users who are no admins. */
  readonly base_url: string | null;
  readonly plans: readonly string[];
  readonly config_vars: readonly string[];
  /** The app that runs its server; null where another server was named, or none, and to users who are no admins. */
  readonly app: { readonly id: string; readonly name: string } | null;
  /** How many add-ons it has here. */
  readonly addons: number;
  /** Names that can be set, what they mean, and whether they are; of built-in providers only. */
  readonly settings: readonly {
    readonly name: string;
    readonly description: string;
    readonly set: boolean;
  }[];
};

export function providerResource(
  view: View,
  service: AddonService,
  settings: Readonly<Record<string, string>>,
  app: Pick<App, 'id' | 'name'> | null,
): ProviderResource {
  const provider = view.providers.get(service.id);
  return {
    id: service.id,
    name: service.name,
    built_in: service.isBuiltIn,
    base_url: provider?.manifest?.baseUrl ?? null,
    plans: service.plans.map(({ name }) => name),
    config_vars: service.configVars,
    app: app && { id: app.id, name: app.name },
    addons: liveAddons(view).filter((addon) => addon.service === service.id).length,
    settings: Object.entries(settings).map(([name, description]) => ({
      name,
      description,
      set: provider !== undefined && Object.hasOwn(provider.settings, name),
    })),
  };
}

const PLANS_UNTOLD = [{ name: 'test', humanName: 'Test', description: '', cents: 0 }] as const;

/** What the ledger keeps of a manifest. Where no prefix is said it is the id's, as on Heroku: `ACME_REDIS`. */
export function manifestOf(
  { id, name, api, plans }: ManifestBody,
  secrets: Pick<ProviderManifest, 'password' | 'ssoSalt'>,
): ProviderManifest {
  return {
    title: name ?? id,
    prefix: api.config_vars_prefix ?? id.toUpperCase().replaceAll('-', '_'),
    configVars: api.config_vars,
    baseUrl: api.production.base_url,
    ssoUrl: api.production.sso_url ?? null,
    ...secrets,
    plans:
      plans?.map((plan) => {
        const {
          name: planName,
          human_name,
          description,
          cents,
        } = typeof plan === 'string' ? { name: plan } : plan;
        return {
          name: planName,
          humanName: human_name ?? planName,
          description: description ?? '',
          cents: cents ?? 0,
        };
      }) ?? PLANS_UNTOLD,
  };
}
