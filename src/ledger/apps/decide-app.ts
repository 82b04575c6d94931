import { PlatformError } from '../../errors.ts';
import { APP_NAME_PATTERN } from '../../ids.ts';
import type { AppId, AppName, ReleaseId } from '../../ids.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import { draftRef } from '../draft-ref.ts';
import type { Fold } from '../fold.ts';
import type { OpBody, OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import type { Release } from '../releases/release-types.ts';
import type { AppState } from './app-state.ts';
import type { App } from './app-types.ts';

const NAME_LENGTH_MIN = 3;
const NAME_LENGTH_MAX = 30;
const BUILDPACKS_MAX = 20;

/** A live app, as registers and as readers see it. Throws Heroku's 404. */
export function mustApp(fold: Fold, id: AppId): { state: AppState; app: App } {
  const state = fold.state.apps.get(id);
  const app = fold.view.apps.get(id);
  if (state === undefined || app === undefined || app.destroyed) {
    throw new PlatformError('not_found', "Couldn't find that app.", { resource: 'app' });
  }
  return { state, app };
}

export function mustRelease(app: App, id: ReleaseId): Release {
  const release = app.releases.get(id);
  if (release === undefined) {
    throw new PlatformError('not_found', "Couldn't find that release.", { resource: 'release' });
  }
  return release;
}

/** As on Heroku a new app has two releases at once. */
export function createApp(
  fold: Fold,
  { app, name, fallbackName }: CommandOf<'app.create'>,
  { user, request }: CommandContext,
): readonly OpDraft[] {
  if (fold.state.apps.has(app))
    throw new PlatformError('conflict', `Cannot create app "${app}": its id is in use`);
  const appName = mustFreeName(fold, name ?? fallbackName);
  const release = (description: string): OpBody => ({
    kind: 'release',
    app,
    cause: 'create',
    description,
    user,
    slug: null,
    config: {},
    request: null,
  });
  return [
    { parents: [], body: { kind: 'app.create', app, name: appName, owner: user, request } },
    { parents: [draftRef(0)], body: release('Initial release') },
    { parents: [draftRef(1)], body: release('Enable Logplex') },
  ];
}

export function updateApp(fold: Fold, command: CommandOf<'app.update'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const renames = command.name !== undefined && command.name !== app.name;
  const name = renames ? { name: mustFreeName(fold, command.name) } : {};
  const switches = command.maintenance !== undefined && command.maintenance !== app.maintenance;
  const maintenance = switches ? { maintenance: command.maintenance } : {};
  const changed = Object.entries(command.features ?? {}).filter(
    ([each, on]) => app.features.has(each) !== on,
  );
  const features = changed.length > 0 ? { features: Object.fromEntries(changed) } : {};
  if (!renames && !switches && changed.length === 0) return [];
  const parents = [
    ...(renames ? headsOf(state.name) : []),
    ...(switches ? headsOf(state.maintenance) : []),
    ...changed.flatMap(([each]) => headsOf(state.features.get(each))),
  ];
  const body = { kind: 'app.update', app: app.id, ...name, ...maintenance, ...features } as const;
  return [{ parents: [...new Set(parents)], body }];
}

export function destroyApp(fold: Fold, command: CommandOf<'app.destroy'>): readonly OpDraft[] {
  const { app } = mustApp(fold, command.app);
  return [{ parents: [], body: { kind: 'app.destroy', app: app.id } }];
}

export function setBuildpacks(fold: Fold, command: CommandOf<'buildpacks.set'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { buildpacks } = command;
  if (buildpacks.length > BUILDPACKS_MAX) {
    throw new PlatformError(
      'invalid_params',
      `Cannot set ${buildpacks.length} buildpacks on "${app.name}": an app has at most ${BUILDPACKS_MAX}`,
    );
  }
  const isSame =
    buildpacks.length === app.buildpacks.length && buildpacks.every((url, at) => url === app.buildpacks[at]);
  if (isSame) return [];
  return [{ parents: headsOf(state.buildpacks), body: { kind: 'buildpacks.set', app: app.id, buildpacks } }];
}

function mustFreeName(fold: Fold, name: string): AppName {
  if (!APP_NAME_PATTERN.test(name)) throw new PlatformError('invalid_params', nameFault(name));
  if (fold.view.names.has(name)) throw new PlatformError('invalid_params', `Name ${name} is already taken`);
  return name as AppName;
}

function nameFault(name: string): string {
  if (name.length < NAME_LENGTH_MIN) return `Name is too short (minimum is ${NAME_LENGTH_MIN} characters)`;
  if (name.length > NAME_LENGTH_MAX) return `Name is too long (maximum is ${NAME_LENGTH_MAX} characters)`;
  return 'Name must start with a letter, end with a letter or digit and can only contain lowercase letters, digits, and dashes';
}
