import { PlatformError } from '../../errors.ts';
import { PROCESS_TYPE_PATTERN } from '../../ids.ts';
import type { AppId, OpId, PeerId, ProcessType, VolumeId } from '../../ids.ts';
import type { App } from '../apps/app-types.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import type { VolumeState } from './fold-volume.ts';
import type { Volume, VolumePlace } from './volume-types.ts';

const NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,29}$/;
const VOLUMES_MAX = 50;
const MOUNTS_MAX = 8;
const HOME = '/app';
/** Where a dyno's system is: nothing may be mounted over that. */
const SYSTEM = /^\/(bin|sbin|lib\w*|usr|etc|proc|dev|sys|run|var|tmp)(\/|$)/;

export function createVolume(
  fold: Fold,
  { app: id, volume, name, place }: CommandOf<'volume.create'>,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, id);
  const refuse = (code: 'invalid_params' | 'conflict', found: string, hint: string): never => {
    throw new PlatformError(code, `Cannot create volume "${name}": ${found}`, { hint });
  };
  // The same request, once more.
  if (state.volumes.has(volume)) return [];
  if (!NAME_PATTERN.test(name)) {
    refuse('invalid_params', 'that is no name for one', 'Use up to 30 lowercase letters, digits and dashes');
  }
  if ([...app.volumes.values()].some((other) => other.name === name)) {
    refuse('conflict', `"${app.name}" has one of this name`, 'See `kith volumes`');
  }
  if (app.volumes.size >= VOLUMES_MAX) {
    refuse('conflict', `"${app.name}" has ${VOLUMES_MAX}, and may not have more`, 'Destroy one first');
  }
  mustMember(fold, place.peer, `Cannot create volume "${name}"`);
  return [{ parents: [], body: { kind: 'volume.create', app: id, volume, name, place } }];
}

export function mountVolume(
  fold: Fold,
  { app: id, volume: volumeId, mount }: CommandOf<'volume.mount'>,
): readonly OpDraft[] {
  const { app, state, volume } = mustVolume(fold, id, volumeId);
  const parents = headsOf(state.mount);
  if (mount === null) {
    if (volume.mount === null) return [];
    return [{ parents, body: { kind: 'volume.mount', app: id, volume: volumeId, mount: null } }];
  }
  const { process, path } = mount;
  if (volume.mount?.type === process && volume.mount.path === path) return [];
  const fault = mountFault(app, volume, process, path);
  if (fault !== null) {
    const [found, hint] = fault;
    throw new PlatformError(
      'invalid_params',
      `Cannot mount "${volume.name}" at "${process}:${path}": ${found}`,
      {
        hint,
      },
    );
  }
  const value = { type: process as ProcessType, path };
  return [{ parents, body: { kind: 'volume.mount', app: id, volume: volumeId, mount: value } }];
}

/** What is wrong with a mount, and what to do; null where nothing is. */
function mountFault(
  app: App,
  volume: Volume,
  process: string,
  path: string,
): readonly [string, string] | null {
  const others = [...app.volumes.values()].filter(
    ({ id, mount }) => id !== volume.id && mount?.type === process,
  );
  const elsewhere = others.find(({ place }) => place.peer !== volume.place.peer);
  const below = `Mount it below "${HOME}", at "${HOME}/data" for example`;
  const steps = path.split('/').slice(1);
  const isPlain = path.startsWith('/') && steps.every((step) => step !== '' && step !== '.' && step !== '..');
  if (!PROCESS_TYPE_PATTERN.test(process)) {
    return ['no dyno of that type can have one', 'Name a process type of the Procfile, `web` for example'];
  }
  if (!isPlain || /[\p{Cc}]/u.test(path)) return ['it is not a plain absolute path', below];
  if (path === HOME || SYSTEM.test(path)) return ['that is where the app or its system is', below];
  if (!volume.ready || volume.hold !== null) {
    return ['its files are on their way just now', 'Try again when `kith volumes:info` shows it ready'];
  }
  if (volume.mount !== null && volume.mount.type !== process) {
    return [
      `"${volume.mount.type}" has it mounted`,
      `Take it from there first: \`kith volumes:unmount ${volume.name}\``,
    ];
  }
  if (others.some(({ mount }) => isWithin(mount?.path ?? '', path) || isWithin(path, mount?.path ?? ''))) {
    return ['another volume is there', below];
  }
  if (elsewhere !== undefined) {
    return [
      `"${elsewhere.name}" is mounted too, and on another peer`,
      'Move one of them: see `kith help volumes:move`',
    ];
  }
  if (others.length >= MOUNTS_MAX) return [`it has ${MOUNTS_MAX} volumes already`, 'Unmount one first'];
  return null;
}

function isWithin(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

/** Stops a volume's dynos, or lets them run again; the peer that has it does so, and no other. */
export function holdVolume(
  fold: Fold,
  { app, volume: id, by, why }: CommandOf<'volume.hold'>,
): readonly OpDraft[] {
  const { state, volume } = mustVolume(fold, app, id);
  mustBeAt(volume, by);
  if (volume.hold === null && why === null) return [];
  if (!volume.ready || (volume.hold !== null && why !== null)) {
    const found = volume.ready ? `a ${volume.hold} is under way` : 'its peer has yet to take it over';
    throw new PlatformError('conflict', `Cannot copy volume "${volume.name}": ${found}`, {
      hint: 'See `kith volumes:info`, and try again when that has ended',
    });
  }
  return [holdDraft(app, id, state, why)];
}

export function moveVolume(
  fold: Fold,
  { app, volume: id, by, hold, to }: CommandOf<'volume.move'>,
): readonly OpDraft[] {
  const { state, volume } = mustVolume(fold, app, id);
  mustBeAt(volume, by);
  if (!volume.ready || volume.heldBy !== hold || state.ready.has(to.copy)) {
    throw new PlatformError(
      'conflict',
      `Cannot move volume "${volume.name}": its dynos were not stopped for it`,
    );
  }
  mustMember(fold, to.peer, `Cannot move volume "${volume.name}"`);
  return [moveDraft(app, id, state, { to, from: volume.place })];
}

export function readyVolume(
  fold: Fold,
  { app, volume: id, by, copy }: CommandOf<'volume.ready'>,
): readonly OpDraft[] {
  const { state, volume } = mustVolume(fold, app, id);
  mustBeAt(volume, by);
  if (volume.place.copy !== copy || volume.ready) return [];
  const parents = pastOf(state);
  const ready: OpDraft = { parents, body: { kind: 'volume.ready', app, volume: id, copy } };
  return volume.hold === null ? [ready] : [ready, holdDraft(app, id, state, null)];
}

export function returnVolume(
  fold: Fold,
  { app, volume: id, by }: CommandOf<'volume.return'>,
): readonly OpDraft[] {
  const { state, volume } = mustVolume(fold, app, id);
  const { place, from, ready } = volume;
  if (ready || from === null) return [];
  const isLost = fold.view.members.get(place.peer)?.state === 'removed' && from.peer === by;
  if (!isLost) mustBeAt(volume, by);
  const back = moveDraft(app, id, state, { to: from, from: place });
  return volume.hold === null ? [back] : [back, holdDraft(app, id, state, null)];
}

/** Writes down that an archive of it is kept, or not any more. The volume itself may be gone by then. */
export function backupVolume(
  fold: Fold,
  { app: id, volume, backup, kept }: CommandOf<'volume.backup'>,
): readonly OpDraft[] {
  const { app, state } = mustApp(fold, id);
  const known = state.volumes.get(volume);
  if (known === undefined || (kept === null && !app.backups.has(backup))) {
    const resource = kept === null ? 'backup' : 'volume';
    throw new PlatformError('not_found', `Couldn't find that ${resource}.`, { resource });
  }
  if (kept !== null) mustMember(fold, kept.peer, 'Cannot keep a backup');
  // The same request, once more.
  if (kept !== null && known.backups.has(backup)) return [];
  const parents = headsOf(known.backups.get(backup));
  return [{ parents, body: { kind: 'volume.backup', app: id, volume, backup, kept } }];
}

export function destroyVolume(
  fold: Fold,
  { app, volume: id }: CommandOf<'volume.destroy'>,
): readonly OpDraft[] {
  const { volume } = mustVolume(fold, app, id);
  if (volume.mount !== null) {
    throw new PlatformError(
      'conflict',
      `Cannot destroy volume "${volume.name}": "${volume.mount.type}" has it mounted`,
      { hint: `First \`kith volumes:unmount ${volume.name}\`` },
    );
  }
  return [{ parents: [], body: { kind: 'volume.destroy', app, volume: id } }];
}

/** What a write of the place is built on: it comes after all that is known of it. */
function pastOf({ created, moved }: VolumeState): readonly OpId[] {
  return [...headsOf(created), ...headsOf(moved)];
}

function holdDraft(app: AppId, volume: VolumeId, state: VolumeState, why: Volume['hold']): OpDraft {
  return { parents: headsOf(state.hold), body: { kind: 'volume.hold', app, volume, why } };
}

function moveDraft(
  app: AppId,
  volume: VolumeId,
  state: VolumeState,
  { to, from }: { readonly to: VolumePlace; readonly from: VolumePlace },
): OpDraft {
  return { parents: pastOf(state), body: { kind: 'volume.move', app, volume, to, from } };
}

function mustVolume(fold: Fold, app: AppId, id: VolumeId): { app: App; state: VolumeState; volume: Volume } {
  const found = mustApp(fold, app);
  const state = found.state.volumes.get(id);
  const volume = found.app.volumes.get(id);
  if (state === undefined || volume === undefined) {
    throw new PlatformError('not_found', "Couldn't find that volume.", { resource: 'volume' });
  }
  return { app: found.app, state, volume };
}

function mustBeAt({ name, place }: Volume, peer: PeerId): void {
  if (place.peer === peer) return;
  throw new PlatformError('conflict', `Cannot write of volume "${name}" here: it is on another peer`, {
    hint: 'See `kith volumes`',
  });
}

function mustMember(fold: Fold, peer: PeerId, what: string): void {
  if (fold.view.members.get(peer)?.state === 'member') return;
  throw new PlatformError('not_found', `${what}: there is no such peer`, {
    resource: 'peer',
    hint: 'See `kith peers`',
  });
}
