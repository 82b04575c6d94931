import { PlatformError } from '../errors.ts';
import type { ProviderManifest } from '../ledger/addons/provider-types.ts';
import type { AddonPlan, AddonService } from '../shell/addon-provider.ts';
import { uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

export type PriceResource = {
  readonly cents: number;
  readonly unit: 'month';
  readonly contract: boolean;
  readonly metered: boolean;
};

export type PlanResource = {
  readonly id: string;
  /** `acme-redis:mini` */
  readonly name: string;
  readonly human_name: string;
  readonly description: string;
  readonly default: boolean;
  readonly price: PriceResource;
  readonly state: 'ga';
  readonly visible: boolean;
  readonly compliance: null;
  readonly space_default: boolean;
  readonly installable_inside_private_network: boolean;
  readonly installable_outside_private_network: boolean;
  readonly addon_service: AddonServiceRef;
  readonly created_at: string;
  readonly updated_at: string;
};

export type AddonServiceRef = { readonly id: string; readonly name: string; readonly human_name: string };

export type AddonServiceResource = AddonServiceRef & {
  readonly cli_plugin_name: null;
  readonly state: 'ga';
  readonly supports_multiple_installations: boolean;
  readonly supports_sharing: boolean;
  readonly supported_generations: readonly { readonly id: string; readonly name: string }[];
  readonly created_at: string;
  readonly updated_at: string;
};

/** Services have no times of their own: they are what a manifest says now. */
const EPOCH = isoTime(0);

export function serviceOfManifest(id: string, manifest: ProviderManifest): AddonService {
  const { title, prefix, configVars, plans } = manifest;
  return { id, name: title, prefix, configVars, plans, isBuiltIn: false };
}

export function serviceRef({ id, name }: Pick<AddonService, 'id' | 'name'>): AddonServiceRef {
  return { id: uuidOf('addon-service', id), name: id, human_name: name };
}

export function serviceResource(service: AddonService): AddonServiceResource {
  return {
    ...serviceRef(service),
    cli_plugin_name: null,
    state: 'ga',
    supports_multiple_installations: true,
    supports_sharing: true,
    supported_generations: [{ id: uuidOf('generation', 'cedar'), name: 'cedar' }],
    created_at: EPOCH,
    updated_at: EPOCH,
  };
}

export function planResource(service: AddonService, plan: AddonPlan): PlanResource {
  const name = `${service.id}:${plan.name}`;
  return {
    id: uuidOf('addon-plan', name),
    name,
    human_name: plan.humanName,
    description: plan.description,
    default: plan === service.plans[0],
    price: priceOf(plan.cents),
    state: 'ga',
    visible: true,
    compliance: null,
    space_default: false,
    installable_inside_private_network: true,
    installable_outside_private_network: true,
    addon_service: serviceRef(service),
    created_at: EPOCH,
    updated_at: EPOCH,
  };
}

export function priceOf(cents: number): PriceResource {
  return { cents, unit: 'month', contract: false, metered: false };
}

/** @throws PlatformError `not_found` */
export function mustFindService(services: readonly AddonService[], idOrName: string): AddonService {
  const found = services.find(({ id }) => id === idOrName || uuidOf('addon-service', id) === idOrName);
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the add-on service "${idOrName}".`, {
    resource: 'add_on_service',
    hint: 'See `kith addons:services` for those there are',
  });
}

/**
 * A service and one of its plans, as users write them: `acme-redis:mini`, or `acme-redis` for its default plan.
 * @throws PlatformError `not_found`
 */
export function mustFindPlan(
  services: readonly AddonService[],
  name: string,
): { readonly service: AddonService; readonly plan: AddonPlan } {
  for (const service of services) {
    const plan = service.plans.find((each) => uuidOf('addon-plan', `${service.id}:${each.name}`) === name);
    if (plan !== undefined) return { service, plan };
  }
  const [serviceName = '', planName] = name.split(':', 2);
  const service = mustFindService(services, serviceName);
  const plan =
    planName === undefined ? service.plans[0] : service.plans.find((each) => each.name === planName);
  if (plan !== undefined) return { service, plan };
  throw new PlatformError('not_found', `Couldn't find the plan "${planName}" of "${service.id}".`, {
    resource: 'plan',
    hint: `There are: ${service.plans.map((each) => each.name).join(', ')}`,
  });
}
