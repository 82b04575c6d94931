import type { AppId, PeerId, VolumeId } from '../ids.ts';
import type { View } from '../ledger/view.ts';
import type { Volume } from '../ledger/volumes/volume-types.ts';

/** A copy of a volume's files on this peer's disk: `live` ones are mounted, those that have `arrived` may be in time. */
export type HeldCopy = {
  readonly volume: VolumeId;
  readonly copy: string;
  readonly state: 'live' | 'arrived';
};

/** What this peer owes the volumes. Each step may be cut short by its death, and is found again after. */
export type VolumeStep =
  /** Have this copy live, from what arrived or (a new volume) from nothing, then write that it is ready. */
  | {
      readonly tag: 'take';
      readonly app: AppId;
      readonly volume: VolumeId;
      readonly copy: string;
      readonly isNew: boolean;
    }
  | { readonly tag: 'return'; readonly app: AppId; readonly volume: VolumeId }
  /** A hold that nobody works under any more. */
  | { readonly tag: 'release'; readonly app: AppId; readonly volume: VolumeId }
  /** The ledger says that this copy is needed no more. */
  | { readonly tag: 'discard'; readonly volume: VolumeId; readonly copy: string };

/**
 * What this peer has to do for volumes now, by the ledger and its own disk. A volume's peer alone writes of it, so that
 * what it reads here is the truth; the last copy of anything stays until the ledger says that another is ready.
 * @param busy volumes that are being copied at this peer: what belongs to them is left alone
 */
export function planVolumes(
  view: View,
  self: PeerId,
  held: readonly HeldCopy[],
  busy: ReadonlySet<VolumeId>,
): readonly VolumeStep[] {
  const steps: VolumeStep[] = [];
  const kept = new Set<string>();
  // What the ledger has never named may be named by ops that are still to come: it stays.
  const known = new Set<VolumeId>();
  for (const { id: app, volumes, destroyedVolumes, destroyed } of view.apps.values()) {
    for (const id of [...volumes.keys(), ...destroyedVolumes]) known.add(id);
    if (destroyed) continue;
    for (const volume of volumes.values()) {
      for (const copy of copiesToKeep(volume, self)) kept.add(keyOf(volume.id, copy));
      if (!busy.has(volume.id)) steps.push(...stepsFor(view, app, volume, self, held));
    }
  }
  for (const { volume, copy, state } of held) {
    // What arrives is ahead of the ledger: it goes by its age.
    if (state === 'arrived' || !known.has(volume) || kept.has(keyOf(volume, copy)) || busy.has(volume))
      continue;
    steps.push({ tag: 'discard', volume, copy });
  }
  return steps;
}

function stepsFor(
  view: View,
  app: AppId,
  volume: Volume,
  self: PeerId,
  held: readonly HeldCopy[],
): readonly VolumeStep[] {
  const { id, place, from, ready, hold } = volume;
  const isLost = view.members.get(place.peer)?.state === 'removed';
  if (!ready && isLost && from?.peer === self) return [{ tag: 'return', app, volume: id }];
  if (place.peer !== self) return [];
  if (ready) return hold === null ? [] : [{ tag: 'release', app, volume: id }];
  const isHere = held.some((each) => each.volume === id && each.copy === place.copy);
  if (isHere || from === null)
    return [{ tag: 'take', app, volume: id, copy: place.copy, isNew: from === null }];
  return [{ tag: 'return', app, volume: id }];
}

/** The place's copy, and the one before until the place is ready: whoever has it may need to give it again. */
function copiesToKeep({ place, from, ready }: Volume, self: PeerId): readonly string[] {
  const places = ready || from === null ? [place] : [place, from];
  return places.filter(({ peer }) => peer === self).map(({ copy }) => copy);
}

function keyOf(volume: VolumeId, copy: string): string {
  return `${volume}.${copy}`;
}
