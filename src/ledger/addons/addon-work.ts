import type { AddonId, AppId, AttachmentId, DrainId, OpId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import type { App } from '../apps/app-types.ts';
import type { Duty } from '../duty.ts';
import type { Sealed } from '../values.ts';
import type { View } from '../view.ts';
import type { Addon } from './addon-types.ts';
import { attachmentsOf, isGoing } from './attachments.ts';
import type { Rotation } from './rotation.ts';

/** What is to be done next for an add-on, by the peer whose duty it is. */
export type AddonStep =
  | { readonly do: 'provision' }
  /** Its provider is at it, and will say when it is ready. */
  | { readonly do: 'await' }
  | { readonly do: 'change-plan'; readonly change: OpId; readonly plan: string }
  /** Gives an app its present values. */
  | { readonly do: 'sync'; readonly app: AppId }
  | { readonly do: 'detach'; readonly app: AppId; readonly attachment: AttachmentId }
  /** Its provider wants the app's log lines: `url` is sealed as `ADDON_DRAIN_KEY`. */
  | { readonly do: 'add-drain'; readonly url: Sealed }
  | { readonly do: 'remove-drain'; readonly drain: DrainId }
  /** Makes new credentials, those of today work on. */
  | { readonly do: 'rotate'; readonly rotation: Rotation }
  /** Ends those before them, once no dyno needs these. */
  | { readonly do: 'end-rotation'; readonly rotation: Rotation }
  | { readonly do: 'deprovision' };

/** The next step for an add-on; null: nothing is left to do. */
export function nextAddonStep(view: View, addon: Addon): AddonStep | null {
  if (isGoing(addon)) {
    const [left] = attachmentsOf(view, addon.id);
    if (left !== undefined) return { do: 'detach', app: left.app.id, attachment: left.attachment.id };
    const drain = drainOf(view.apps.get(addon.app), addon.id);
    if (drain !== null) return { do: 'remove-drain', drain };
    return addon.state === 'deprovisioned' ? null : { do: 'deprovision' };
  }
  if (!addon.accepted) return { do: 'provision' };
  if (addon.state === 'provisioning') return { do: 'await' };
  const stale = attachmentsOf(view, addon.id).find(
    ({ attachment }) => attachment.config !== addon.configVersion,
  );
  if (stale !== undefined) return { do: 'sync', app: stale.app.id };
  if (addon.drainUrl !== null && drainOf(view.apps.get(addon.app), addon.id) === null) {
    return { do: 'add-drain', url: addon.drainUrl };
  }
  if (addon.change !== null) {
    return { do: 'change-plan', change: addon.change.id, plan: addon.change.plan };
  }
  const { rotation } = addon;
  if (rotation === null) return null;
  return { do: rotation.stage === 'asked' ? 'rotate' : 'end-rotation', rotation };
}

/** The drain that it has in the app that owns it; an app that is gone has none. */
function drainOf(app: App | undefined, addon: AddonId): DrainId | null {
  if (app === undefined || app.destroyed) return null;
  return [...app.drains.values()].find((drain) => drain.addon === addon)?.id ?? null;
}

/**
 * Add-ons with something left to do: one duty each, whatever the step, so that one peer at a time speaks for it. Looked at
 * on every change of the ledger, so in one pass.
 */
export function addonDuties(view: View): readonly Duty[] {
  const all = new Map<AddonId, Addon>();
  const due = new Set<AddonId>();
  for (const app of view.apps.values()) {
    for (const [id, addon] of app.addons) {
      all.set(id, addon);
      if (isDue(app, addon)) due.add(id);
    }
  }
  for (const { destroyed, attachments } of view.apps.values()) {
    if (destroyed) continue;
    for (const { addon: id, config } of attachments.values()) {
      const addon = all.get(id);
      if (addon !== undefined && (addon.state !== 'provisioned' || addon.configVersion !== config))
        due.add(id);
    }
  }
  return [...due].map((key) => ({ kind: 'addon', key }));
}

/** Whether something is left to do, going by the add-on and the app that owns it. */
function isDue(app: App, { id, state, change, drainUrl, rotation }: Addon): boolean {
  switch (state) {
    case 'provisioning':
    case 'deprovisioning':
      return true;
    case 'provisioned':
      return change !== null || rotation !== null || (drainUrl !== null && drainOf(app, id) === null);
    case 'deprovisioned':
      // Who was at it and had not heard may have added one since.
      return drainOf(app, id) !== null;
    default:
      return assertNever(state);
  }
}
