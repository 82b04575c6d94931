import { PlatformError } from '../../errors.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import { configDrafts } from './decide-addon.ts';
import { mustAddon, mustLiveAddon } from './must-addon.ts';

/** It shall have new credentials. */
export function askRotation(fold: Fold, command: CommandOf<'addon.rotate'>): readonly OpDraft[] {
  const { app, registers, addon } = mustLiveAddon(fold, command.app, command.addon);
  const refuse = (found: string, hint: string): never => {
    throw new PlatformError('conflict', `Cannot rotate the credentials of "${addon.name}": ${found}`, {
      hint,
    });
  };
  if (addon.state !== 'provisioned') refuse(`it is ${addon.state}`, 'Try again when `addons:info` shows it');
  // A second rotation would end the first credentials at once, and dynos may have them still.
  if (addon.rotation?.stage === 'released') {
    refuse('the last rotation is not over', 'It is once all dynos have the new ones, or after half an hour');
  }
  if (addon.rotation !== null) return [];
  const body = { kind: 'addon.rotate', app: app.id, addon: addon.id, stage: 'asked' } as const;
  return [{ parents: headsOf(registers.rotation), body }];
}

/** What became of it. Who speaks of another rotation than the one under way is late. */
export function advanceRotation(fold: Fold, command: CommandOf<'addon.rotated'>): readonly OpDraft[] {
  const { app, registers, addon } = mustAddon(fold, command.app, command.addon);
  const { rotation, stage, config } = command;
  if (addon.rotation?.id !== rotation) return [];
  const body = { kind: 'addon.rotate', app: app.id, addon: addon.id, stage } as const;
  return [{ parents: headsOf(registers.rotation), body }, ...configDrafts(app.id, addon, registers, config)];
}
