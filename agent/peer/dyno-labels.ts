import type { DynoLife } from '../../src/dynos/types.ts';
import type { AdoptedDyno } from '../../src/peer/create.ts';
import type { FoundDyno } from '../../src/shell/runtime.ts';

/** What the runtime keeps with a formation dyno, so that the next agent knows what it is. */
export function labelsOf(life: DynoLife): Record<string, string> {
  const { slot, claimedAt, crashes } = life;
  return { kind: 'formation', life: JSON.stringify({ slot, claimedAt, crashes }) };
}

/** The formation dyno that these labels tell of; null for a one-off. */
export function adoptedFrom(found: FoundDyno): AdoptedDyno | null {
  if (found.labels['kind'] !== 'formation') return null;
  const { slot, claimedAt, crashes } = JSON.parse(found.labels['life'] ?? 'null') as Pick<
    DynoLife,
    'slot' | 'claimedAt' | 'crashes'
  >;
  const { dyno, port, listening, exited } = found;
  return { dyno, slot, claimedAt, crashes, port, listening, exited };
}
