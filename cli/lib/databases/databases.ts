import type { AddonResource } from '../../../src/platform/addon.ts';
import { CliError, UsageError } from '../line/cli-error.ts';
import type { Client } from '../api/client.ts';
import { findAddon } from '../addons.ts';

type Kind = { readonly service: string; readonly configVar: string };
export const POSTGRESQL: Kind = { service: 'kith-postgresql', configVar: 'DATABASE_URL' };
export const REDIS: Kind = { service: 'kith-redis', configVar: 'REDIS_URL' };

/** Of a dump nobody knows how long it takes; the peers end what hangs. */
export const DUMP_MS = 6 * 3_600_000;

/** An add-on of this service: the one that was named, or the only one that the app has. */
export async function findDatabase(
  api: Client,
  { service }: Kind,
  name: string | undefined,
  app: () => Promise<string>,
): Promise<AddonResource> {
  const owner = await app();
  if (name !== undefined) return mustBeOf(service, await findAddon(api, name, owner));
  const all = await api.get<readonly AddonResource[]>(`/apps/${encodeURIComponent(owner)}/addons`);
  const [only, ...others] = all.filter((addon) => addon.addon_service.name === service);
  if (only === undefined) {
    throw new CliError(`"${owner}" has no add-on of ${service}`, {
      hint: `\`kith addons:create ${service} -a ${owner}\` makes one`,
    });
  }
  if (others.length === 0) return only;
  const names = [only, ...others].map((addon) => addon.name).join(' or ');
  throw new UsageError(`"${owner}" has several of ${service}`, `Name one: ${names}`);
}

/** Its address, which holds the password. */
export async function addressOf(api: Client, addon: AddonResource, { configVar }: Kind): Promise<URL> {
  const config = await api.get<readonly { name: string; value: string }[]>(`/addons/${addon.id}/config`);
  const value = config.find(({ name }) => name === configVar)?.value;
  if (value !== undefined && URL.canParse(value)) return new URL(value);
  throw new CliError(`"${addon.name}" has no address: it is ${addon.state}`);
}

export function dumpPath({ id }: AddonResource): string {
  return `/kith/addons/${id}/dump`;
}

function mustBeOf(service: string, addon: AddonResource): AddonResource {
  if (addon.addon_service.name === service) return addon;
  throw new UsageError(`"${addon.name}" is of ${addon.addon_service.name}`, `Name one of ${service}`);
}
