import { DEFAULT_SIZE, DYNO_SIZES, parseSize } from '../../dyno-sizes.ts';
import { PlatformError } from '../../errors.ts';
import type { ProcessType } from '../../ids.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import type { UserEmail } from '../values.ts';
import { headsOf } from '../register.ts';
import { RELEASE_TYPE } from '../releases/release-status.ts';
import type { SlugRef } from '../releases/release-types.ts';
import { restartScope } from './app-state.ts';
import type { AppState } from './app-state.ts';
import type { App } from './app-types.ts';
import { mustApp } from './decide-app.ts';

export const QUANTITY_MAX = 100;

/** One op per type that changes; none when all is as asked. */
export function scaleFormation(
  fold: Fold,
  command: CommandOf<'formation.scale'>,
  { user }: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const wanted = new Map<ProcessType, { quantity: number; size: string }>();
  for (const update of command.updates) {
    const type = mustDeclaredType(app, update.type);
    const before = wanted.get(type) ?? entryOf(app, type);
    const quantity = (update.quantity ?? before.quantity) + (update.by ?? 0);
    if (!Number.isInteger(quantity) || quantity < 0 || quantity > QUANTITY_MAX) {
      throw new PlatformError(
        'invalid_params',
        `Cannot scale ${type} of "${app.name}" to ${quantity}: a quantity is between 0 and ${QUANTITY_MAX}`,
      );
    }
    if (type === RELEASE_TYPE && quantity > 0) {
      throw new PlatformError(
        'invalid_params',
        `Cannot scale ${type} of "${app.name}": it runs once, before each release`,
      );
    }
    wanted.set(type, { quantity, size: update.size === undefined ? before.size : mustSize(update.size) });
  }
  return [...wanted]
    .filter(([type, { quantity, size }]) => {
      const entry = app.formation.get(type);
      return entry === undefined || entry.quantity !== quantity || entry.size !== size;
    })
    .map(([type, { quantity, size }]) => scaleDraft(state, type, quantity, size, user));
}

/**
 * On a first deploy what its app.json asks for, or one web dyno; and nothing runs of a type that the slug does not
 * declare.
 */
export function formationAfterDeploy(
  { state, app }: { state: AppState; app: App },
  { processTypes, setup }: SlugRef,
  user: UserEmail,
): readonly OpDraft[] {
  if (app.formation.size === 0) {
    const asked = { web: { quantity: 1, size: null }, ...setup?.formation };
    return Object.entries(asked)
      .filter(([type]) => Object.hasOwn(processTypes, type))
      .map(([type, { quantity, size }]) =>
        scaleDraft(
          state,
          type as ProcessType,
          Math.min(quantity, QUANTITY_MAX),
          parseSize(size ?? '')?.name ?? DEFAULT_SIZE.name,
          user,
        ),
      );
  }
  return [...app.formation.values()]
    .filter(({ type, quantity }) => quantity > 0 && !Object.hasOwn(processTypes, type))
    .map(({ type, size }) => scaleDraft(state, type, 0, size, user));
}

export function restartFormation(
  fold: Fold,
  command: CommandOf<'formation.restart'>,
  { user }: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { process: type, index } = command;
  if (type === null && index !== null) {
    throw new PlatformError(
      'bad_request',
      `Cannot restart dyno ${index} of "${app.name}": of which process type?`,
    );
  }
  const entry = type === null ? undefined : app.formation.get(type);
  if (type !== null && entry === undefined) throw noSuchType(type);
  if (index !== null && (index < 1 || index > (entry?.quantity ?? 0))) {
    throw new PlatformError('not_found', "Couldn't find that dyno.", { resource: 'dyno' });
  }
  const parents = headsOf(state.restarts.get(restartScope(type, index)));
  return [{ parents, body: { kind: 'formation.restart', app: app.id, type, index, user } }];
}

function scaleDraft(
  state: AppState,
  type: ProcessType,
  quantity: number,
  size: string,
  user: UserEmail,
): OpDraft {
  const parents = headsOf(state.formation.get(type));
  return { parents, body: { kind: 'formation.scale', app: state.id, type, quantity, size, user } };
}

function entryOf(app: App, type: ProcessType): { quantity: number; size: string } {
  return app.formation.get(type) ?? { quantity: 0, size: DEFAULT_SIZE.name };
}

function mustDeclaredType(app: App, type: string): ProcessType {
  const slug = app.current === null ? null : (app.releases.get(app.current)?.slug ?? null);
  if (slug === null || !Object.hasOwn(slug.processTypes, type)) throw noSuchType(type);
  return type as ProcessType;
}

function noSuchType(type: string): PlatformError {
  return new PlatformError('not_found', `Couldn't find that process type (${type}).`, {
    resource: 'process_type',
    hint: 'Process types are declared in the Procfile of the deployed code',
  });
}

function mustSize(name: string): string {
  const size = parseSize(name);
  if (size === null) {
    const known = DYNO_SIZES.map((each) => each.name.toLowerCase());
    throw new PlatformError('invalid_params', `No such size as ${name}. Use ${known.join(', ')}.`);
  }
  return size.name;
}
