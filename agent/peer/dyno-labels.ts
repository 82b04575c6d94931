import type { DynoLife } from '../../src/dynos/types.ts';
import type { AdoptedDyno } from '../../src/peer/create.ts';
import type { WantedSlot } from '../../src/placement/types.ts';
import type { FoundDyno } from '../../src/shell/runtime.ts';

type Later = 'layers' | 'format' | 'volumes' | 'listens';

/** As it is written down; `launchedAt` in wall ms. Labels of earlier agents lack what came later. */
type Kept = Pick<DynoLife, 'claimedAt' | 'crashes'> & {
  readonly slot: Omit<WantedSlot, Later> & Partial<Pick<WantedSlot, Later>>;
  readonly launchedAt?: number;
};

/** What the runtime keeps with a formation dyno, so that the next agent knows what it is. */
export function labelsOf(life: DynoLife): Record<string, string> {
  const { slot, claimedAt, crashes, launchedAt } = life;
  const kept: Kept = { slot, claimedAt, crashes, launchedAt: launchedAt.wall };
  return { kind: 'formation', life: JSON.stringify(kept) };
}

/** The formation dyno that these labels tell of; null for a one-off. */
export function adoptedFrom(found: FoundDyno): AdoptedDyno | null {
  if (found.labels['kind'] !== 'formation') return null;
  const kept = JSON.parse(found.labels['life'] ?? 'null') as Kept;
  const { claimedAt, crashes, launchedAt = null } = kept;
  // Agents before this one knew neither layers nor images nor volumes, and only web dynos had ports.
  const slot: WantedSlot = {
    ...kept.slot,
    layers: kept.slot.layers ?? [],
    format: kept.slot.format ?? 'slug',
    volumes: kept.slot.volumes ?? [],
    listens: kept.slot.listens ?? kept.slot.type === 'web',
  };
  const { dyno, address, listening, exited } = found;
  return { dyno, slot, claimedAt, crashes, launchedAt, address, listening, exited };
}
