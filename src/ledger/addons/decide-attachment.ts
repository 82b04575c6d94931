import { PlatformError } from '../../errors.ts';
import type { AppState } from '../apps/app-state.ts';
import type { App } from '../apps/app-types.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { releaseDraft } from '../releases/decide-release.ts';
import {
  attachDescription,
  detachDescription,
  provisionedDescription,
  updateDescription,
} from '../releases/release-text.ts';
import { isSameSealed } from '../same-sealed.ts';
import type { Addon, Attached, Attachment, SealedConfig } from './addon-types.ts';
import { attachedHere, attachmentVars, findAddonById, isGoing, varName, varsOf } from './attachments.ts';
import { mustAttachable, mustAttachmentName, mustBeFree, mustConfirm } from './must-addon.ts';

type On = { readonly state: AppState; readonly app: App };

const ATTACHMENTS_MAX = 100;

const RUNS_COMMAND = { runsCommand: true } as const;

/** Gives an app an add-on, its own once more or another app's: its config vars come in the same release. */
export function addAttachment(
  fold: Fold,
  command: CommandOf<'attachment.add'>,
  by: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const addon = mustAttachable(fold, command.addon);
  const { attachment, name, namespace, confirm, version, vars } = command;
  // The same request, once more.
  if (app.attachments.has(attachment)) return [];
  mustAttachmentName(name);
  mustBeFree(app, name);
  mustBeCurrent(addon, version);
  if (app.attachments.size >= ATTACHMENTS_MAX) {
    throw new PlatformError(
      'conflict',
      `Cannot attach "${addon.name}" to "${app.name}": it has ${ATTACHMENTS_MAX} attachments`,
    );
  }
  mustConfirm(
    app,
    [...addon.config.keys()].map((key) => varName(addon.prefix, name, key)),
    confirm,
  );
  const isReady = addon.state === 'provisioned';
  const attached = attachedTo(addon, { name, namespace }, isReady ? version : null);
  return [
    releaseDraft(state, by, {
      cause: 'addon',
      description: attachDescription(name, addon.name),
      slug: null,
      config: isReady ? setOnly(vars) : {},
      attachments: { [attachment]: attached },
      // Or else with its values.
      ...(isReady ? RUNS_COMMAND : {}),
    }),
  ];
}

export function removeAttachment(
  fold: Fold,
  command: CommandOf<'attachment.remove'>,
  by: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const attachment = app.attachments.get(command.attachment);
  if (attachment === undefined) {
    throw new PlatformError('not_found', "Couldn't find that add-on attachment.", {
      resource: 'add_on attachment',
    });
  }
  const addon = findAddonById(fold.view, attachment.addon);
  const isItsOwn = addon !== null && addon.app === app.id && !isGoing(addon);
  if (isItsOwn && attachedHere(app, addon.id).length === 1) {
    throw new PlatformError(
      'invalid_params',
      `Cannot detach "${attachment.name}": it is the last attachment of "${addon.name}" to the app that owns it.`,
      { hint: 'Destroy the add-on, or attach it under another name first' },
    );
  }
  return [detachDraft(fold, { state, app }, addon, [attachment], by)];
}

/** A release without these attachments of one add-on, and without the config vars that came with them alone. */
export function detachDraft(
  fold: Fold,
  { state, app }: On,
  addon: Addon | null,
  attachments: readonly Attachment[],
  by: CommandContext,
): OpDraft {
  const gone = new Set(attachments.map(({ id }) => id));
  const left = new Map([...app.attachments].filter(([id]) => !gone.has(id)));
  const kept = attachmentVars(fold.view, { ...app, attachments: left });
  const vars = addon === null ? [] : varsOf(addon, attachments).map(({ name }) => name);
  const unset = vars.filter((name) => !kept.has(name) && (app.config.get(name)?.value ?? null) !== null);
  return releaseDraft(state, by, {
    cause: 'addon',
    description: detachDescription(
      attachments.map(({ name }) => name),
      addon?.name ?? 'gone',
    ),
    slug: null,
    config: Object.fromEntries(unset.map((name) => [name, null])),
    attachments: Object.fromEntries(attachments.map(({ id }) => [id, null])),
    ...RUNS_COMMAND,
  });
}

/** A release with the values that an add-on has by now: its provider made it, or changed them. */
export function syncAttachments(fold: Fold, command: CommandOf<'attachment.sync'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const addon = mustAttachable(fold, command.addon);
  const { version, vars } = command;
  mustBeCurrent(addon, version);
  const stale = attachedHere(app, addon.id).filter(({ config }) => config !== version);
  if (stale.length === 0) return [];
  const names = new Set(varsOf(addon, stale).map(({ name }) => name));
  const config = Object.fromEntries(
    Object.entries(vars).filter(
      ([name, value]) => names.has(name) && !isSameSealed(app.config.get(name)?.value ?? null, value),
    ),
  );
  const set = Object.keys(config).filter((name) => config[name] !== null);
  const isNew = stale.every((attachment) => attachment.config === null);
  // Should two peers write this, it is one release.
  const by = { user: `${addon.service}@addons.heroku.com`, request: `sync ${addon.id} ${version}` };
  return [
    releaseDraft(state, by, {
      cause: 'addon',
      description: isNew
        ? provisionedDescription(addon.name, set)
        : updateDescription(
            stale.map(({ name }) => name),
            addon.service,
          ),
      slug: null,
      config,
      attachments: Object.fromEntries(stale.map((each) => [each.id, attachedTo(addon, each, version)])),
      ...(isNew ? RUNS_COMMAND : {}),
    }),
  ];
}

/** What releases say of it in the app that has it so. */
export function attachedTo(
  { id, service, plan }: Addon,
  { name, namespace }: Pick<Attached, 'name' | 'namespace'>,
  config: string | null,
): Attached {
  return { addon: id, name, namespace, plan: `${service}:${plan}`, config };
}

/** The values were sealed for the app from another state of the add-on: who asks looks again. */
function mustBeCurrent(addon: Addon, version: string): void {
  if (addon.configVersion === version) return;
  throw new PlatformError('conflict', `The config vars of "${addon.name}" have just changed`, {
    hint: 'Try again',
  });
}

function setOnly(vars: SealedConfig): SealedConfig {
  return Object.fromEntries(Object.entries(vars).filter(([, value]) => value !== null));
}
