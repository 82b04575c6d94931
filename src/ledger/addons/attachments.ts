import type { AddonId, AttachmentId } from '../../ids.ts';
import type { App } from '../apps/app-types.ts';
import type { Sealed } from '../values.ts';
import type { Release } from '../releases/release-types.ts';
import type { View } from '../view.ts';
import type { Addon, Attachment } from './addon-types.ts';

export const ATTACHMENT_NAME_PATTERN = /^[A-Z][A-Z0-9_]{0,99}$/;

/** What a second attachment of a service is told apart by, as on Heroku. */
const COLOURS = [
  'AMBER',
  'AQUA',
  'BLACK',
  'BLUE',
  'BRONZE',
  'BROWN',
  'COBALT',
  'COPPER',
  'CRIMSON',
  'CYAN',
  'GOLD',
  'GRAY',
  'GREEN',
  'IVORY',
  'JADE',
  'MAROON',
  'MAUVE',
  'NAVY',
  'OLIVE',
  'ONYX',
  'ORANGE',
  'PINK',
  'PURPLE',
  'RED',
  'ROSE',
  'SILVER',
  'TEAL',
  'VIOLET',
  'WHITE',
  'YELLOW',
] as const;

export type AttachmentVar = {
  readonly name: string;
  readonly key: string;
  /** Null: taken away since. */
  readonly value: Sealed | null;
};

/** An add-on by its id, whoever owns it, gone ones too. */
export function findAddonById(view: View, id: AddonId): Addon | null {
  for (const app of view.apps.values()) {
    const addon = app.addons.get(id);
    if (addon !== undefined) return addon;
  }
  return null;
}

/** All that are not gone, also of apps that are: until they are deprovisioned they exist. */
export function liveAddons(view: View): readonly Addon[] {
  return [...view.apps.values()].flatMap((app) =>
    [...app.addons.values()].filter(({ state }) => state !== 'deprovisioned'),
  );
}

/** Whether it is over with it, or will be once its provider has let it go. */
export function isGoing({ state }: Addon): boolean {
  return state === 'deprovisioning' || state === 'deprovisioned';
}

/** Where an add-on is attached, in apps that live. */
export function attachmentsOf(view: View, addon: AddonId): readonly { app: App; attachment: Attachment }[] {
  return [...view.apps.values()].flatMap((app) =>
    app.destroyed ? [] : attachedHere(app, addon).map((attachment) => ({ app, attachment })),
  );
}

export function attachedHere(app: App, addon: AddonId): readonly Attachment[] {
  return [...app.attachments.values()].filter((attachment) => attachment.addon === addon);
}

/** `REDIS_URL` of the prefix `REDIS` is `CACHE_URL` where it is attached as `CACHE`. */
export function varName(prefix: string, attachment: string, key: string): string {
  if (key === prefix) return attachment;
  if (key.startsWith(`${prefix}_`)) return `${attachment}${key.slice(prefix.length)}`;
  return attachment === prefix ? key : `${attachment}_${key}`;
}

/** What an add-on is called in an app by those names. */
export function varsOf(
  addon: Addon,
  attachments: readonly Pick<Attachment, 'name'>[],
): readonly AttachmentVar[] {
  return attachments.flatMap(({ name }) =>
    [...addon.config].map(([key, value]) => ({ name: varName(addon.prefix, name, key), key, value })),
  );
}

/** All config vars of an app that are its add-ons', those that they have taken away too (null). */
export function attachmentVars(view: View, app: App): ReadonlyMap<string, Sealed | null> {
  const vars = new Map<string, Sealed | null>();
  for (const attachment of app.attachments.values()) {
    const addon = findAddonById(view, attachment.addon);
    for (const { name, value } of addon === null ? [] : varsOf(addon, [attachment])) {
      vars.set(name, value ?? vars.get(name) ?? null);
    }
  }
  return vars;
}

/** What its attachments are called, and those that it is going to have. */
export function takenNames(app: App): ReadonlySet<string> {
  const coming = [...app.addons.values()].filter(
    ({ state, accepted }) => state === 'provisioning' && !accepted,
  );
  return new Set([
    ...[...app.attachments.values()].map(({ name }) => name),
    ...coming.map(({ attachment }) => attachment.name),
  ]);
}

/** The name of an attachment that was given none: the prefix or, where that is taken, the service in a colour. */
export function freeAttachmentName(app: App, prefix: string, service: string, id: AttachmentId): string {
  const taken = takenNames(app);
  if (!taken.has(prefix)) return prefix;
  const stem = service.toUpperCase().replaceAll('-', '_');
  const first = Number.parseInt(id.slice(0, 4), 16) % COLOURS.length;
  const colours = [...COLOURS.slice(first), ...COLOURS.slice(0, first)];
  const names = colours.map((colour) => `${stem}_${colour}`);
  return names.find((name) => !taken.has(name)) ?? `${stem}_${id.slice(0, 8).toUpperCase()}`;
}

/** A rollback leaves add-ons as they are, so it goes to releases that had the same. */
export function hasSameAttachments(app: App, release: Release): boolean {
  const { attachments } = release;
  return (
    attachments.size === app.attachments.size &&
    [...attachments.keys()].every((id) => app.attachments.has(id))
  );
}

/** `acme-redis:mini` of each add-on that a release has. */
export function planNames(release: Release): readonly string[] {
  const plans = new Map([...release.attachments.values()].map(({ addon, plan }) => [addon, plan]));
  return [...plans.values()].sort();
}
