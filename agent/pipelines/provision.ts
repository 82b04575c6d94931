import type { AddonWish } from '../../src/builds/app-json.ts';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId, AttachmentId } from '../../src/ids.ts';
import { ADDON_OPTIONS_KEY } from '../../src/ledger/addons/addon-types.ts';
import type { Addon } from '../../src/ledger/addons/addon-types.ts';
import { nextAddonStep } from '../../src/ledger/addons/addon-work.ts';
import { findAddonById, freeAttachmentName } from '../../src/ledger/addons/attachments.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Setup } from '../../src/ledger/pipelines/setup-types.ts';
import { addonNameOf } from '../../src/platform/addon-name.ts';
import { mustFindPlan } from '../../src/platform/addon-service.ts';
import { uuidOf } from '../../src/platform/ids.ts';
import type { Addons } from '../../src/shell/addons.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { until } from '../lib/until.ts';

export type ProvisionParts = {
  readonly host: Pick<PeerHost, 'view' | 'command' | 'seal'>;
  readonly addons: Pick<Addons, 'services'>;
};

/** What takes longer is looked at again by the next try of the setup. */
const WAIT_MS = 10 * 60_000;

/** Has the add-ons of an app.json made, one after the other. Each is named by its place there: it is made once. */
export async function provisionAll(
  parts: ProvisionParts,
  app: App & { readonly setup: Setup },
  wishes: readonly AddonWish[],
  signal: AbortSignal,
): Promise<void> {
  for (const [at, wish] of wishes.entries()) {
    const id = uuidOf('setup-addon', `${app.setup.setup}/${at}`) as AddonId;
    if (find(parts, id) === null) await ask(parts, app, wish, id);
    const isDone = await until(() => isMade(parts, id), WAIT_MS, signal);
    if (!isDone) throw new PlatformError('unavailable', `The add-on "${wish.plan}" is not ready yet`);
  }
}

async function ask(
  { host, addons }: ProvisionParts,
  { id: app, setup }: App & { readonly setup: Setup },
  { plan: named, as, options }: AddonWish,
  addon: AddonId,
): Promise<void> {
  const { service, plan } = mustFindPlan(addons.services(), named);
  const attachment = uuidOf('setup-attachment', addon) as AttachmentId;
  const now = host.view().apps.get(app);
  const free = now === undefined ? '' : freeAttachmentName(now, service.prefix, service.id, attachment);
  await host.command(
    {
      type: 'addon.create',
      app,
      addon,
      name: addonNameOf(service.id, addon),
      service: service.id,
      plan: plan.name,
      prefix: service.prefix,
      willSet: service.configVars,
      options: host.seal(addon, ADDON_OPTIONS_KEY, JSON.stringify(options)),
      attachment: { id: attachment, name: as ?? free },
      // A review app may have been given the value that its add-on then replaces: that is what app.json says.
      confirm: now?.name ?? null,
    },
    { user: setup.user, request: null },
  );
}

/** @throws PlatformError where its provider refused */
function isMade(parts: ProvisionParts, id: AddonId): boolean {
  const addon = find(parts, id);
  if (addon === null) return false;
  if (addon.refused || addon.state === 'deprovisioned' || addon.state === 'deprovisioning') {
    throw new PlatformError('invalid_params', addon.message ?? `The add-on "${addon.name}" was refused`);
  }
  return addon.state === 'provisioned' && nextAddonStep(parts.host.view(), addon) === null;
}

function find({ host }: ProvisionParts, id: AddonId): Addon | null {
  return findAddonById(host.view(), id) ?? null;
}
