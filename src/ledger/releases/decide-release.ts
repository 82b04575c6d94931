import { PlatformError } from '../../errors.ts';
import { CONFIG_KEY_PATTERN } from '../../ids.ts';
import type { OpId } from '../../ids.ts';
import { attachmentVars, hasSameAttachments } from '../addons/attachments.ts';
import type { AppState } from '../apps/app-state.ts';
import type { App } from '../apps/app-types.ts';
import { mustApp, mustRelease } from '../apps/decide-app.ts';
import { formationAfterDeploy } from '../apps/decide-formation.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpBodyOf, OpDraft } from '../op.ts';
import type { Sealed } from '../values.ts';
import { SLUGS_IN_REACH, isInReach } from '../reach.ts';
import { isSameSealed } from '../same-sealed.ts';
import type { Snapshot } from './config-snapshot.ts';
import { snapshotOfHeads } from './fold-release.ts';
import { releaseCommandOf } from './release-status.ts';
import {
  configDescription,
  deployDescription,
  mergeDescription,
  rollbackDescription,
} from './release-text.ts';
import type { Release, SlugRef } from './release-types.ts';

type ConfigPatch = Readonly<Record<string, Sealed | null>>;

/** Keys and sealed values together: a rollback writes them all in one op of at most 256 KiB. */
const CONFIG_BYTES_MAX = 128 * 1024;

/** Only what changes is written; when nothing does, nothing is. */
export function patchConfig(
  fold: Fold,
  command: CommandOf<'config.patch'>,
  by: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  for (const key of Object.keys(command.config)) mustConfigKey(key);
  const { config: current } = snapshotOfHeads(state.releases);
  const changes = Object.entries(command.config).filter(
    ([key, value]) => !isSameSealed(current.get(key)?.value ?? null, value),
  );
  if (changes.length === 0) return [];
  const config = Object.fromEntries(changes);
  mustLeaveAddons(fold, app, config);
  mustFit(app, current, config);
  return [
    releaseDraft(state, by, { cause: 'config', description: configDescription(config), slug: null, config }),
  ];
}

export function deploy(
  fold: Fold,
  command: CommandOf<'release.deploy'>,
  by: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { slug } = command;
  const description = deployDescription(command.description, slug.commit ?? slug.id);
  return [
    releaseDraft(state, by, { cause: 'deploy', description, slug, config: {} }),
    ...formationNow({ state, app }, slug, by),
  ];
}

/** A new release that says again all that the target said: its slug, its values, and that the rest is unset. */
export function rollback(
  fold: Fold,
  command: CommandOf<'release.rollback'>,
  by: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const target = mustRelease(app, command.to);
  const slug = mustBeInReach(app, target);
  mustHaveSameAddons(app, target);
  // What add-ons have set stays as it is now: old values of theirs would lead nowhere.
  const kept = attachmentVars(fold.view, app);
  const keys = [...snapshotOfHeads(state.releases).config.keys(), ...target.config.keys()].filter(
    (key) => !kept.has(key),
  );
  const config = Object.fromEntries(keys.map((key) => [key, target.config.get(key)?.value ?? null]));
  const description = rollbackDescription(target);
  return [
    releaseDraft(state, by, { cause: 'rollback', description, slug, config }),
    ...formationNow({ state, app }, slug, by),
  ];
}

function mustHaveSameAddons(app: App, target: Release): void {
  if (hasSameAttachments(app, target)) return;
  throw new PlatformError(
    'invalid_params',
    `Cannot roll back "${app.name}" to ${target.label}: it had other add-ons then`,
    { hint: 'Choose a release with the add-ons of now: see `releases` and `addons`' },
  );
}

/** As on Heroku, what an add-on has set is changed by its provider, or goes with its attachment. */
function mustLeaveAddons(fold: Fold, app: App, config: ConfigPatch): void {
  const set = attachmentVars(fold.view, app);
  const taken = Object.keys(config).filter((key) => (set.get(key) ?? null) !== null);
  if (taken.length === 0) return;
  throw new PlatformError('invalid_params', `Cannot overwrite attachment values ${taken.join(', ')}.`, {
    hint: 'They are set by an add-on: `addons:detach` takes them away, `addons:attach --as` gives them another name',
  });
}

/** The slug of a release that can be rolled back to. */
function mustBeInReach(app: App, { label, slug, status }: Release): SlugRef {
  const refuse = (reason: string, hint: string): never => {
    throw new PlatformError('invalid_params', `Cannot roll back "${app.name}" to ${label}: ${reason}`, {
      hint,
    });
  };
  if (status === 'failed')
    return refuse('its release command failed', 'Choose a release that succeeded: see `releases`');
  if (status === 'pending') {
    return refuse('its release command has not ended yet', 'Choose a release that succeeded: see `releases`');
  }
  if (slug === null)
    return refuse('it has no slug', 'Choose a release that was made after the first deploy: see `releases`');
  if (!isInReach(app, slug)) {
    return refuse(
      `its slug is not kept any more, as ${SLUGS_IN_REACH} others were deployed since`,
      'Choose a later release, or push the commit of that one again: see `releases`',
    );
  }
  return slug;
}

export function mergeReleases(
  fold: Fold,
  command: CommandOf<'release.merge'>,
  by: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const heads = app.heads.map((id) => mustRelease(app, id));
  if (heads.length < 2) {
    throw new PlatformError(
      'conflict',
      `Cannot merge releases of "${app.name}": it has ${heads.length} head`,
    );
  }
  const description = mergeDescription(heads);
  return [releaseDraft(state, by, { cause: 'merge', description, slug: null, config: {} })];
}

/** A release on top of all heads: whoever acts after a split has seen both sides. */
export function releaseDraft(
  state: AppState,
  { user, request }: CommandContext,
  what: Omit<OpBodyOf<'release'>, 'kind' | 'app' | 'user' | 'request'>,
): OpDraft {
  return {
    parents: headOps(state),
    body: { kind: 'release', app: state.id, ...what, user, request: what.cause === 'merge' ? null : request },
  };
}

/** The heads' ops, and those that say what became of them: whoever builds on a release knows whether it succeeded. */
function headOps({ releases }: AppState): readonly OpId[] {
  const heads = [...releases.heads].sort().flatMap((id) => releases.releases.get(id) ?? []);
  return heads.flatMap(({ op, settled }) => (settled === null ? [op] : [op, settled.id]));
}

/** The formation follows a slug when its dynos may start: at once, or when its release has succeeded. */
export function formationNow(
  on: { state: AppState; app: App },
  slug: SlugRef,
  by: CommandContext,
): readonly OpDraft[] {
  const isHeld = on.app.heads.some((head) => on.app.releases.get(head)?.status === 'pending');
  return isHeld || releaseCommandOf(slug) !== null ? [] : formationAfterDeploy(on, slug, by.user);
}

function mustConfigKey(key: string): void {
  // An object cannot hold `__proto__` like any other key.
  if (CONFIG_KEY_PATTERN.test(key) && key !== '__proto__') return;
  throw new PlatformError('invalid_params', `"${key}" is not a valid config var name`, {
    hint: 'Names are letters, digits and underscores, and do not start with a digit',
  });
}

function mustFit(app: App, current: Snapshot['config'], config: ConfigPatch): void {
  const after = new Map([...current].map(([key, write]) => [key, write.value]));
  for (const [key, value] of Object.entries(config)) after.set(key, value);
  let bytes = 0;
  for (const [key, value] of after) bytes += key.length + (value?.length ?? 0);
  if (bytes <= CONFIG_BYTES_MAX) return;
  throw new PlatformError(
    'invalid_params',
    `Cannot set config vars of "${app.name}": together they would have ${bytes} bytes, at most ${CONFIG_BYTES_MAX} fit`,
  );
}
