import { createHash } from 'node:crypto';
import type { AddonId, AttachmentId } from '../../src/ids.ts';
import type { AddonSettlement, SealedConfig, Addon } from '../../src/ledger/addons/addon-types.ts';
import { findAddonById, varsOf, attachedHere } from '../../src/ledger/addons/attachments.ts';
import type { Command } from '../../src/ledger/command.ts';
import { appId, sealed } from './builders.ts';
import type { TestPeer } from './builders.ts';

function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [8, 12, 16, 20, 32].map((end, at) => hex.slice([0, 8, 12, 16, 20][at], end)).join('-');
}

export const addonId = (n: number): AddonId => uuid(`addon ${n}`) as AddonId;
export const attachmentId = (n: number): AttachmentId => uuid(`attachment ${n}`) as AttachmentId;

/** The nth add-on of the service `acme-redis`; it is attached as `REDIS` unless said otherwise. */
export function createAddon(
  n = 1,
  fields: Partial<Extract<Command, { type: 'addon.create' }>> & { readonly as?: string } = {},
): Command {
  const { as = 'REDIS', ...others } = fields;
  return {
    type: 'addon.create',
    app: appId(1),
    addon: addonId(n),
    name: `acme-redis-flat-${n}`,
    service: 'acme-redis',
    plan: 'mini',
    options: sealed('{}'),
    attachment: { id: attachmentId(n), name: as },
    prefix: 'REDIS',
    willSet: ['REDIS_URL'],
    confirm: null,
    ...others,
  };
}

export function settleAddon(
  n: number,
  state: AddonSettlement['state'],
  config: Readonly<Record<string, string>> = state === 'provisioned' ? { REDIS_URL: `redis://${n}` } : {},
): Command {
  return {
    type: 'addon.settle',
    app: appId(1),
    addon: addonId(n),
    state,
    providerId: `provider ${n}`,
    message: null,
    drainUrl: null,
    config: sealedConfig(config),
  };
}

export function sealedConfig(config: Readonly<Record<string, string | null>>): SealedConfig {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, value === null ? null : sealed(value)]),
  );
}

/** The add-on as this peer sees it. */
export function addonAt(peer: TestPeer, n = 1): Addon {
  const addon = findAddonById(peer.view, addonId(n));
  if (addon === null) throw new Error(`No add-on ${n} here`);
  return addon;
}

/** Gives an app what the add-on has set by now: here values are sealed for all alike. */
export function syncAddon(peer: TestPeer, n = 1, app = 1): Command {
  const addon = addonAt(peer, n);
  const vars = varsOf(addon, attachedHere(peer.app(app), addon.id));
  return {
    type: 'attachment.sync',
    app: appId(app),
    addon: addon.id,
    version: addon.configVersion,
    vars: Object.fromEntries(vars.map(({ name, value }) => [name, value])),
  };
}

/** Attaches an add-on to an app. */
export function attach(
  peer: TestPeer,
  n: number,
  app: number,
  name: string,
  confirm: string | null = null,
): Command {
  const addon = addonAt(peer, n);
  return {
    type: 'attachment.add',
    app: appId(app),
    attachment: attachmentId(100 * app + n),
    addon: addon.id,
    name,
    namespace: null,
    confirm,
    version: addon.configVersion,
    vars: Object.fromEntries(varsOf(addon, [{ name }]).map(({ name: key, value }) => [key, value])),
  };
}
