import { PlatformError } from '../../errors.ts';
import type { AppId } from '../../ids.ts';
import type { AppState } from '../apps/app-state.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import { draftRef } from '../draft-ref.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import { releaseDraft } from '../releases/decide-release.ts';
import { attachDescription } from '../releases/release-text.ts';
import { isSameSealed } from '../same-sealed.ts';
import type { Addon, SealedConfig } from './addon-types.ts';
import { attachedHere, attachmentsOf, isGoing, varName } from './attachments.ts';
import { attachedTo, detachDraft } from './decide-attachment.ts';
import { isEnd } from './fold-addon.ts';
import type { AddonRegisters } from './fold-addon.ts';
import {
  mustAddon,
  mustAttachmentName,
  mustBeFree,
  mustConfirm,
  mustFreeName,
  mustLiveAddon,
} from './must-addon.ts';

const ADDONS_MAX = 100;

/** Somebody wants an add-on. Its attachment, and so its first release, come once the provider has not refused. */
export function createAddon(
  fold: Fold,
  command: CommandOf<'addon.create'>,
  { user }: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { addon, name, service, plan, prefix, options, attachment, willSet, confirm } = command;
  // The same request, once more.
  if (state.addons.has(addon)) return [];
  mustFreeName(fold, name);
  mustAttachmentName(attachment.name);
  mustBeFree(app, attachment.name);
  mustConfirm(
    app,
    willSet.map((key) => varName(prefix, attachment.name, key)),
    confirm,
  );
  const live = [...app.addons.values()].filter((each) => each.state !== 'deprovisioned');
  if (live.length >= ADDONS_MAX) {
    throw new PlatformError(
      'conflict',
      `Cannot add "${service}" to "${app.name}": it has ${ADDONS_MAX} add-ons`,
    );
  }
  const body = { kind: 'addon.create', app: app.id, addon, name, service, plan, prefix, options } as const;
  return [{ parents: [], body: { ...body, attachment, user } }];
}

/** What the provider said of it. The first time that it did not refuse, the add-on is attached: that is a release. */
export function settleAddon(fold: Fold, command: CommandOf<'addon.settle'>): readonly OpDraft[] {
  const { state, app, registers, addon } = mustAddon(fold, command.app, command.addon);
  const { state: said, providerId, message, drainUrl, config } = command;
  // It was said before, by this peer or by another.
  const isKnown =
    (said === 'provisioning' && addon.accepted) ||
    (said === 'asking' && (addon.accepted || addon.state !== 'provisioning')) ||
    (isEnd(said) && addon.state === 'deprovisioned') ||
    (said === 'provisioned' && registers.settled.some(({ value }) => value.state === 'provisioned'));
  if (isKnown) return [];
  // One that is gone and was made once more, by a peer that had not heard: both stand, and it is deprovisioned again.
  const replaced = registers.settled.filter(({ value }) => isEnd(said) || !isEnd(value.state));
  const settle: OpDraft = {
    parents: [...headsOf(replaced), ...headsOf(registers.destroyed)],
    body: {
      kind: 'addon.settle',
      app: app.id,
      addon: addon.id,
      state: said,
      providerId: providerId ?? addon.providerId,
      message: message ?? addon.message,
      drainUrl: drainUrl ?? addon.drainUrl,
    },
  };
  const isFirst = (said === 'provisioned' || said === 'provisioning') && !addon.accepted;
  const isWanted = addon.state === 'provisioning' && !app.destroyed;
  return [
    settle,
    ...configDrafts(app.id, addon, registers, config),
    ...(isFirst && isWanted ? [firstAttachment(state, addon)] : []),
  ];
}

function firstAttachment(state: AppState, addon: Addon): OpDraft {
  const { id, name } = addon.attachment;
  const attached = attachedTo(addon, { name, namespace: null }, null);
  const what = { cause: 'addon', slug: null, config: {}, attachments: { [id]: attached } } as const;
  // Should two peers write this, it is one release.
  const by = { user: addon.user, request: `attach ${addon.id}` };
  const draft = releaseDraft(state, by, { ...what, description: attachDescription(name, addon.name) });
  return { ...draft, parents: [...draft.parents, draftRef(0)] };
}

/** Other values: apps get them by `attachment.sync`. */
export function configureAddon(fold: Fold, command: CommandOf<'addon.config'>): readonly OpDraft[] {
  const { app, registers, addon } = mustLiveAddon(fold, command.app, command.addon);
  return configDrafts(app.id, addon, registers, command.config);
}

/** Only what changes is written. */
export function configDrafts(
  app: AppId,
  addon: Addon,
  registers: AddonRegisters,
  config: SealedConfig,
): readonly OpDraft[] {
  const changes = Object.entries(config).filter(
    ([key, value]) => !isSameSealed(addon.config.get(key) ?? null, value),
  );
  if (changes.length === 0) return [];
  const parents = new Set(changes.flatMap(([key]) => headsOf(registers.config.get(key))));
  const body = {
    kind: 'addon.config',
    app,
    addon: addon.id,
    config: Object.fromEntries(changes),
  } as const;
  return [{ parents: [...parents], body }];
}

export function renameAddon(fold: Fold, command: CommandOf<'addon.rename'>): readonly OpDraft[] {
  const { app, registers, addon } = mustLiveAddon(fold, command.app, command.addon);
  if (command.name === addon.name) return [];
  mustFreeName(fold, command.name);
  const body = { kind: 'addon.rename', app: app.id, addon: addon.id, name: command.name } as const;
  return [{ parents: headsOf(registers.name), body }];
}

export function changePlan(fold: Fold, command: CommandOf<'addon.plan'>): readonly OpDraft[] {
  const { app, registers, addon } = mustLiveAddon(fold, command.app, command.addon);
  const { plan } = command;
  const refuse = (found: string): never => {
    throw new PlatformError('conflict', `Cannot change the plan of "${addon.name}": ${found}`, {
      hint: 'Try again when `addons:info` shows it provisioned',
    });
  };
  if (addon.change !== null && addon.change.plan !== plan)
    refuse(`it is being changed to "${addon.change.plan}"`);
  if (addon.change !== null || addon.plan === plan) return [];
  if (addon.state !== 'provisioned') refuse(`it is ${addon.state}`);
  const body = { kind: 'addon.plan', app: app.id, addon: addon.id, plan, from: addon.plan } as const;
  return [{ parents: headsOf(registers.plan), body }];
}

export function answerPlan(fold: Fold, command: CommandOf<'addon.answer'>): readonly OpDraft[] {
  const { app, registers, addon } = mustAddon(fold, command.app, command.addon);
  const { change, done, message, config } = command;
  if (addon.change?.id !== change) return [];
  const body = { kind: 'addon.answer', app: app.id, addon: addon.id, change, done, message } as const;
  return [{ parents: [change], body }, ...configDrafts(app.id, addon, registers, config)];
}

/** It is detached from its owner at once, and then, by whoever's duty it is, from others and at its provider. */
export function destroyAddon(
  fold: Fold,
  command: CommandOf<'addon.destroy'>,
  by: CommandContext,
): readonly OpDraft[] {
  const { state, app, registers, addon } = mustAddon(fold, command.app, command.addon);
  if (isGoing(addon)) return [];
  const elsewhere = attachmentsOf(fold.view, addon.id).filter((each) => each.app.id !== app.id);
  if (elsewhere.length > 0 && !command.force) {
    const apps = [...new Set(elsewhere.map((each) => each.app.name))].join(', ');
    throw new PlatformError(
      'invalid_params',
      `Cannot destroy "${addon.name}": it is attached to ${apps} too.`,
      {
        hint: 'Detach it there first, or destroy it with --force',
      },
    );
  }
  const body = { kind: 'addon.destroy', app: app.id, addon: addon.id, reason: command.reason } as const;
  const own = attachedHere(app, addon.id);
  return [
    { parents: headsOf(registers.destroyed), body },
    ...(own.length === 0 || app.destroyed ? [] : [detachDraft(fold, { state, app }, addon, own, by)]),
  ];
}
