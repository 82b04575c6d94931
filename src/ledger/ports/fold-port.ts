import type { ProcessType } from '../../ids.ts';
import { compareHlc } from '../hlc.ts';
import type { Hlc } from '../hlc.ts';
import type { FoldOp } from '../op-graph.ts';
import { writeRegister } from '../register.ts';
import type { Register, Write } from '../register.ts';
import type { Port, PortBody } from './port-types.ts';

/** Whether a process type is open, and at which number it was to be; null: it is closed. */
export type PortState = {
  readonly number: Register<number | null>;
  /** All that was ever said of it, in no order: who had a number first depends on who had given it up by then. */
  readonly writes: readonly Write<number | null>[];
};

const NEW: PortState = { number: [], writes: [] };

export function applyPort(state: PortState = NEW, { id, hlc, parents }: FoldOp, body: PortBody): PortState {
  const write = { id, hlc: timeOf(hlc, body.seen), value: body.number };
  return { number: writeRegister(state.number, write, parents), writes: [...state.writes, write] };
}

/** After all numbers that its writer knew of, whatever the clock there was. */
function timeOf(hlc: Hlc, seen: Hlc | undefined): Hlc {
  return seen === undefined || compareHlc(seen, hlc) < 0 ? hlc : { ms: seen.ms, n: seen.n + 1 };
}

/**
 * Those that are open, as readers see them. An app that is destroyed has none.
 * @param numbers which they have, among all apps' ports: see `assignPortNumbers`
 */
export function toPorts(
  states: ReadonlyMap<ProcessType, PortState>,
  numbers: ReadonlyMap<ProcessType, number> = new Map(),
): ReadonlyMap<ProcessType, Port> {
  const shown = new Map<ProcessType, Port>();
  for (const [
    type,
    {
      number: [latest],
    },
  ] of states) {
    const number = numbers.get(type);
    if (number === undefined || latest === undefined) continue;
    shown.set(type, { type, number, wantedNumber: latest.value ?? number, openedAt: latest.hlc.ms });
  }
  return shown;
}
