import type { VolumeId } from '../ids.ts';
import type { FoldOp } from './op-graph.ts';
import type { OpBody, VolumeHold, VolumePlace } from './op.ts';
import { writeRegister } from './register.ts';
import type { Register } from './register.ts';
import type { Volume } from './view.ts';

/**
 * One volume as registers. `place` and `hold` have one writer at any time, the peer that has the volume by what is written
 * so far: it gives the volume, and the right to write of it, away in one op.
 */
export type VolumeState = {
  readonly created: Register<string>;
  readonly place: Register<{ readonly at: VolumePlace; readonly from: VolumePlace | null }>;
  /** Copies that were on their peer's disk. */
  readonly ready: ReadonlySet<string>;
  readonly mount: Register<Extract<OpBody, { readonly kind: 'volume.mount' }>['mount']>;
  readonly hold: Register<VolumeHold | null>;
  readonly destroyed: boolean;
};

export type VolumeBody = Extract<OpBody, { readonly volume: VolumeId }>;

const NEW: VolumeState = {
  created: [],
  place: [],
  ready: new Set(),
  mount: [],
  hold: [],
  destroyed: false,
};

export function applyVolume(state: VolumeState = NEW, op: FoldOp, body: VolumeBody): VolumeState {
  const { id, hlc, parents } = op;
  switch (body.kind) {
    case 'volume.create': {
      const created = writeRegister(state.created, { id, hlc, value: body.name }, parents);
      const value = { at: body.place, from: null };
      return { ...state, created, place: writeRegister(state.place, { id, hlc, value }, parents) };
    }
    case 'volume.mount':
      return { ...state, mount: writeRegister(state.mount, { id, hlc, value: body.mount }, parents) };
    case 'volume.hold':
      return { ...state, hold: writeRegister(state.hold, { id, hlc, value: body.why }, parents) };
    case 'volume.move': {
      const value = { at: body.to, from: body.from };
      return { ...state, place: writeRegister(state.place, { id, hlc, value }, parents) };
    }
    case 'volume.ready':
      return { ...state, ready: new Set([...state.ready, body.copy]) };
    case 'volume.destroy':
      return { ...state, destroyed: true };
  }
}

/** Those that live, as readers see them. */
export function toVolumes(states: ReadonlyMap<VolumeId, VolumeState>): ReadonlyMap<VolumeId, Volume> {
  const shown = new Map<VolumeId, Volume>();
  for (const [id, state] of states) {
    const [created] = state.created;
    const [place] = state.place;
    const [mount] = state.mount;
    if (state.destroyed || created === undefined || place === undefined) continue;
    const { at, from } = place.value;
    shown.set(id, {
      id,
      name: created.value,
      createdAt: created.hlc.ms,
      place: at,
      from,
      ready: state.ready.has(at.copy),
      mount: mount === undefined || mount.value === null ? null : { ...mount.value, by: mount.id },
      hold: state.hold[0]?.value ?? null,
    });
  }
  return shown;
}

/** Tombstones: the files of these may go, those of a volume that was never heard of may not. */
export function destroyedVolumes(states: ReadonlyMap<VolumeId, VolumeState>): ReadonlySet<VolumeId> {
  return new Set([...states].flatMap(([id, { destroyed }]) => (destroyed ? [id] : [])));
}
