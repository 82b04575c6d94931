import type { Command } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';

/** The stack of an architecture is this blob from now on; what it was before may be collected. */
export function setStack(
  { view, state }: Fold,
  { name, arch, blob, bytes }: Extract<Command, { type: 'stack.set' }>,
): readonly OpDraft[] {
  const known = view.stacks.get(arch);
  if (known?.blob === blob && known.name === name) return [];
  return [{ parents: headsOf(state.stacks.get(arch)), body: { kind: 'stack.set', name, arch, blob, bytes } }];
}
