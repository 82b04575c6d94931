import { PlatformError } from '../../errors.ts';
import type { AddonId, AppId } from '../../ids.ts';
import type { AppState } from '../apps/app-state.ts';
import type { App } from '../apps/app-types.ts';
import type { Fold } from '../fold.ts';
import type { Addon } from './addon-types.ts';
import { ATTACHMENT_NAME_PATTERN, findAddonById, isGoing, liveAddons, takenNames } from './attachments.ts';
import type { AddonRegisters } from './fold-addon.ts';

const NAME_PATTERN = /^[a-z][a-z0-9-]{1,98}[a-z0-9]$/;

/** Also of an app that is destroyed: its add-ons live until their providers have let them go. */
export function mustAddon(
  fold: Fold,
  appId: AppId,
  id: AddonId,
): { state: AppState; app: App; registers: AddonRegisters; addon: Addon } {
  const state = fold.state.apps.get(appId);
  const app = fold.view.apps.get(appId);
  const registers = state?.addons.get(id);
  const addon = app?.addons.get(id);
  if (state === undefined || app === undefined || registers === undefined || addon === undefined) {
    throw noAddon();
  }
  return { state, app, registers, addon };
}

export function mustLiveAddon(fold: Fold, app: AppId, id: AddonId): ReturnType<typeof mustAddon> {
  const found = mustAddon(fold, app, id);
  if (!isGoing(found.addon)) return found;
  throw noAddon();
}

/** An add-on that may be attached: throws Heroku's 404. */
export function mustAttachable(fold: Fold, id: AddonId): Addon {
  const addon = findAddonById(fold.view, id);
  if (addon?.accepted === true && !isGoing(addon)) return addon;
  throw noAddon();
}

function noAddon(): PlatformError {
  return new PlatformError('not_found', "Couldn't find that add-on.", { resource: 'add_on' });
}

export function mustFreeName(fold: Fold, name: string): void {
  if (!NAME_PATTERN.test(name)) {
    throw new PlatformError('invalid_params', `"${name}" is not a valid add-on name`, {
      hint: 'Names have 3 to 100 lower-case letters, digits and dashes, and begin with a letter',
    });
  }
  if (liveAddons(fold.view).some((addon) => addon.name === name)) {
    throw new PlatformError('invalid_params', `Name ${name} is already taken`);
  }
}

export function mustAttachmentName(name: string): void {
  if (ATTACHMENT_NAME_PATTERN.test(name)) return;
  throw new PlatformError('invalid_params', `"${name}" is not a valid attachment name`, {
    hint: 'Names have up to 100 capital letters, digits and underscores, and begin with a letter',
  });
}

/** Refuses a name that another attachment of the app has, or that one is going to have. */
export function mustBeFree(app: App, name: string): void {
  if (!takenNames(app).has(name)) return;
  throw new PlatformError(
    'invalid_params',
    `The attachment name "${name}" is already taken on "${app.name}"`,
    {
      hint: 'Choose another with --as NAME',
    },
  );
}

/** @param confirm the app's name, if the user agreed that what is set be replaced */
export function mustConfirm(app: App, vars: readonly string[], confirm: string | null): void {
  const set = vars.filter((name) => (app.config.get(name)?.value ?? null) !== null);
  if (set.length === 0 || confirm === app.name || confirm === app.id) return;
  throw new PlatformError(
    'confirmation_required',
    `Adding this to "${app.name}" would replace its config vars ${set.join(', ')}.`,
    { hint: `Confirm with --confirm ${app.name}, or choose another name with --as NAME` },
  );
}
