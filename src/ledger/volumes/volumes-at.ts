import type { PeerId } from '../../ids.ts';
import type { App } from '../apps/app-types.ts';
import type { View } from '../view.ts';
import type { Volume } from './volume-types.ts';

/** Volumes whose files are on this peer and nowhere else that counts, by the names of app and volume. */
export function volumesAt(
  view: View,
  peer: PeerId,
): readonly { readonly app: App; readonly volume: Volume }[] {
  return [...view.apps.values()]
    .filter(({ destroyed }) => !destroyed)
    .flatMap((app) => [...app.volumes.values()].map((volume) => ({ app, volume })))
    .filter(({ volume }) => holderOf(volume) === peer)
    .sort((a, b) => compare(nameOf(a), nameOf(b)));
}

/** While a volume moves, who had it before has it still; one that has never been ready is empty. */
function holderOf({ place, from, ready }: Volume): PeerId | null {
  return ready ? place.peer : (from?.peer ?? null);
}

function nameOf({ app, volume }: { readonly app: App; readonly volume: Volume }): string {
  return `${app.name}/${volume.name}`;
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
