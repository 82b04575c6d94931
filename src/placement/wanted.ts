import { sizeOf } from '../dyno-sizes.ts';
import { slotKey } from '../ids.ts';
import type { App, FormationEntry } from '../ledger/apps/app-types.ts';
import { generationOf, listens } from '../ledger/apps/generation.ts';
import type { Release } from '../ledger/releases/release-types.ts';
import type { View } from '../ledger/view.ts';
import type { SlotVolume, WantedSlot } from './types.ts';

/** Every place that the formations of all live apps ask to be filled, at the release and generation each should run. */
export function wantedSlots(view: View): WantedSlot[] {
  const slots: WantedSlot[] = [];
  for (const app of view.apps.values()) {
    const release = app.current === null ? undefined : app.releases.get(app.current);
    if (app.destroyed || release === undefined) continue;
    for (const entry of app.formation.values()) slots.push(...slotsOf(app, release, entry));
  }
  return slots.sort(compareSlots);
}

/** The order in which slots are dealt out: by app, type and number, the same on every peer. */
export function compareSlots(a: WantedSlot, b: WantedSlot): number {
  return compareText(a.app, b.app) || compareText(a.type, b.type) || a.index - b.index;
}

export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** An app without a slug, or a type that the slug does not declare, has nothing to run. */
function slotsOf(app: App, release: Release, entry: FormationEntry): WantedSlot[] {
  const { slug } = release;
  const command = slug?.processTypes[entry.type];
  if (slug === null || command === undefined) return [];
  const volumes = volumesOf(app, entry.type);
  const slots: WantedSlot[] = [];
  for (let index = 1; index <= entry.quantity; index += 1) {
    const generation = generationOf(app, entry.type, index);
    if (generation === null) continue;
    const { name: size, memoryMiB } = sizeOf(entry.size);
    slots.push({
      slot: slotKey(app.id, entry.type, index),
      app: app.id,
      type: entry.type,
      index,
      listens: listens(app, entry.type),
      release: release.id,
      generation,
      size,
      memoryMiB,
      command,
      arch: slug.arch,
      slug: slug.id,
      layers: (slug.layers ?? []).map(({ id }) => id),
      format: slug.format ?? 'slug',
      volumes,
    });
  }
  return slots;
}

/** Why its dynos must not run now, by what is done with it. */
const HOLDS = { move: 'is being moved', backup: 'is being backed up', restore: 'is being restored' } as const;

/** What the dynos of a process type mount, its one-off dynos among them. */
export function volumesOf(app: App, type: string): readonly SlotVolume[] {
  return [...app.volumes.values()]
    .flatMap(({ id, name, place, ready, mount, hold }) => {
      if (mount?.type !== type) return [];
      const unready = ready ? null : 'is not on its peer yet';
      const stopped = hold === null ? unready : HOLDS[hold];
      return [{ volume: id, name, ...place, path: mount.path, stopped }];
    })
    .sort((a, b) => compareText(a.volume, b.volume));
}
