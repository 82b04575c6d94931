import type { FoldOp } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Stack } from './cluster-types.ts';

/** The stack image of each architecture, as registers. */
export type StacksState = ReadonlyMap<string, Register<StackBody>>;
type StackBody = OpBodyOf<'stack.set'>;

export function applyStack(state: StacksState, op: FoldOp, body: StackBody): StacksState {
  const write = { id: op.id, hlc: op.hlc, value: body };
  return new Map(state).set(body.arch, writeRegister(state.get(body.arch), write, op.parents));
}

export function toStacks(state: StacksState): ReadonlyMap<string, Stack> {
  const shown = new Map<string, Stack>();
  for (const [arch, [latest]] of state) {
    if (latest === undefined) continue;
    const { name, blob, bytes } = latest.value;
    shown.set(arch, { name, arch, blob, bytes, setAt: latest.hlc.ms });
  }
  return shown;
}
