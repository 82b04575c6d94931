import type { AddonId, DrainId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import type { FoldOp } from '../op-graph.ts';
import type { Sealed } from '../values.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Drain, DrainBody } from './drain-types.ts';

/** One log drain as registers. A removed one stays removed: a change that did not know of it does not bring it back. */
export type DrainState = {
  readonly added: Register<{
    readonly token: string;
    readonly url: Sealed;
    readonly addon: AddonId | null;
  }>;
  /** Wall ms of its first op: a change of its URL makes it no younger. */
  readonly createdAt: number;
  readonly removed: boolean;
};

const NEW: DrainState = { added: [], createdAt: Infinity, removed: false };

export function applyDrain(state: DrainState = NEW, op: FoldOp, body: DrainBody): DrainState {
  const { id, hlc, parents } = op;
  switch (body.kind) {
    case 'drain.add': {
      const { token, url, addon } = body;
      const added = writeRegister(state.added, { id, hlc, value: { token, url, addon } }, parents);
      return { ...state, added, createdAt: Math.min(state.createdAt, hlc.ms) };
    }
    case 'drain.remove':
      return { ...state, removed: true };
    default:
      return assertNever(body);
  }
}

/** Those that are there, as readers see them. */
export function toDrains(states: ReadonlyMap<DrainId, DrainState>): ReadonlyMap<DrainId, Drain> {
  const shown = new Map<DrainId, Drain>();
  for (const [id, { added, createdAt, removed }] of states) {
    const [latest] = added;
    if (removed || latest === undefined) continue;
    shown.set(id, { id, ...latest.value, createdAt, updatedAt: latest.hlc.ms });
  }
  return shown;
}
