import type { BackupId, VolumeId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import type { FoldOp } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Backup, KeptBackup, Volume, VolumeBody, VolumeHold, VolumePlace } from './volume-types.ts';

/**
 * One volume as registers. `moved` and `hold` have one writer at any time, the peer that has the volume by what is written
 * so far: it gives the volume, and the right to write of it, away in one op. A creation may be written twice, the second
 * time late, by a home that did not answer: it counts only as long as nothing was moved.
 */
export type VolumeState = {
  readonly created: Register<{ readonly name: string; readonly place: VolumePlace }>;
  readonly moved: Register<{ readonly to: VolumePlace; readonly from: VolumePlace }>;
  /** Copies that were on their peer's disk. */
  readonly ready: ReadonlySet<string>;
  readonly mount: Register<OpBodyOf<'volume.mount'>['mount']>;
  readonly hold: Register<VolumeHold | null>;
  readonly backups: ReadonlyMap<BackupId, Register<KeptBackup | null>>;
  readonly destroyed: boolean;
};

const NEW: VolumeState = {
  created: [],
  moved: [],
  ready: new Set(),
  mount: [],
  hold: [],
  backups: new Map(),
  destroyed: false,
};

export function applyVolume(state: VolumeState = NEW, op: FoldOp, body: VolumeBody): VolumeState {
  const { id, hlc, parents } = op;
  switch (body.kind) {
    case 'volume.create': {
      const { name, place } = body;
      return {
        ...state,
        created: writeRegister(state.created, { id, hlc, value: { name, place } }, parents),
      };
    }
    case 'volume.mount':
      return { ...state, mount: writeRegister(state.mount, { id, hlc, value: body.mount }, parents) };
    case 'volume.hold':
      return { ...state, hold: writeRegister(state.hold, { id, hlc, value: body.why }, parents) };
    case 'volume.move': {
      const { to, from } = body;
      return { ...state, moved: writeRegister(state.moved, { id, hlc, value: { to, from } }, parents) };
    }
    case 'volume.ready':
      return { ...state, ready: new Set([...state.ready, body.copy]) };
    case 'volume.backup': {
      const { backup, kept } = body;
      const register = writeRegister(state.backups.get(backup), { id, hlc, value: kept }, parents);
      return { ...state, backups: new Map(state.backups).set(backup, register) };
    }
    case 'volume.destroy':
      return { ...state, destroyed: true };
    default:
      return assertNever(body);
  }
}

/** Those that live, as readers see them. */
export function toVolumes(states: ReadonlyMap<VolumeId, VolumeState>): ReadonlyMap<VolumeId, Volume> {
  const shown = new Map<VolumeId, Volume>();
  for (const [id, state] of states) {
    const created = state.created.at(-1);
    const [moved] = state.moved;
    const [mount] = state.mount;
    const [hold] = state.hold;
    if (state.destroyed || created === undefined) continue;
    const place = moved?.value.to ?? created.value.place;
    shown.set(id, {
      id,
      name: created.value.name,
      createdAt: created.hlc.ms,
      place,
      from: moved?.value.from ?? null,
      ready: state.ready.has(place.copy),
      mount: mount === undefined || mount.value === null ? null : { ...mount.value, by: mount.id },
      hold: hold?.value ?? null,
      heldBy: hold === undefined || hold.value === null ? null : hold.id,
    });
  }
  return shown;
}

/** Tombstones: the files of these may go, those of a volume that was never heard of may not. */
export function destroyedVolumes(states: ReadonlyMap<VolumeId, VolumeState>): ReadonlySet<VolumeId> {
  return new Set([...states].flatMap(([id, { destroyed }]) => (destroyed ? [id] : [])));
}

/** Those that are kept, also of volumes that were destroyed since. */
export function toBackups(states: ReadonlyMap<VolumeId, VolumeState>): ReadonlyMap<BackupId, Backup> {
  const shown = new Map<BackupId, Backup>();
  for (const [volume, { created, backups }] of states) {
    const name = created.at(-1)?.value.name;
    if (name === undefined) continue;
    for (const [id, [kept]] of backups) {
      if (kept?.value != null) shown.set(id, { id, volume, name, hlc: kept.hlc, ...kept.value });
    }
  }
  return shown;
}
