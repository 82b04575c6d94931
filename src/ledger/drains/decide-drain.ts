import { PlatformError } from '../../errors.ts';
import type { AddonId } from '../../ids.ts';
import type { App } from '../apps/app-types.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import type { Sealed } from '../values.ts';
import { headsOf } from '../register.ts';
import { isSameSealed } from '../same-sealed.ts';
import type { Drain } from './drain-types.ts';

/** As on Heroku. Those of add-ons come on top: an add-on is not refused for what the user drains elsewhere. */
const DRAINS_MAX = 5;

export function addDrain(fold: Fold, command: CommandOf<'drain.add'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { drain, token, url, addon } = command;
  if (app.drains.has(drain)) return []; // Asked again.
  mustBeNew(app, url, addon);
  const own = [...app.drains.values()].filter((each) => each.addon === null);
  if (addon === null && own.length >= DRAINS_MAX) {
    throw new PlatformError('invalid_params', `You have reached the limit of ${DRAINS_MAX} drains per app.`, {
      hint: 'See `kith drains`, and remove one with `kith drains:remove`',
    });
  }
  const parents = headsOf(state.drains.get(drain)?.added);
  return [{ parents, body: { kind: 'drain.add', app: app.id, drain, token, url, addon } }];
}

/** Another URL for a drain, which keeps its token and its place in the log. */
export function setDrain(fold: Fold, command: CommandOf<'drain.set'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { drain, url } = command;
  const { token, addon, url: before } = mustDrain(app, drain);
  if (isSameSealed(url, before)) return [];
  mustBeNew(app, url, addon);
  const parents = headsOf(state.drains.get(drain)?.added);
  return [{ parents, body: { kind: 'drain.add', app: app.id, drain, token, url, addon } }];
}

export function removeDrain(fold: Fold, command: CommandOf<'drain.remove'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { id } = mustDrain(app, command.drain);
  const parents = headsOf(state.drains.get(id)?.added);
  return [{ parents, body: { kind: 'drain.remove', app: app.id, drain: id } }];
}

function mustDrain(app: App, id: Drain['id']): Drain {
  const found = app.drains.get(id);
  if (found !== undefined) return found;
  throw new PlatformError('not_found', "Couldn't find that drain.", { resource: 'log_drain' });
}

/** Equal URLs of one app seal to equal bytes. Two add-ons may well name one URL: the drain's token tells them apart. */
function mustBeNew(app: App, url: Sealed, addon: AddonId | null): void {
  const isTaken = [...app.drains.values()].some(
    (other) => other.addon === addon && isSameSealed(other.url, url),
  );
  if (isTaken) throw new PlatformError('invalid_params', 'Url has already been taken.');
}
