import { PlatformError } from '../errors.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { View } from '../ledger/view.ts';
import type { Volume } from '../ledger/volumes/volume-types.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { isoTime } from './time.ts';
import { peerRef } from './peer-names.ts';

/** `ready`, or why its dynos do not run just now. */
export type VolumeState = 'ready' | 'moving' | 'backing-up' | 'restoring' | 'arriving';

export type VolumeResource = {
  readonly id: string;
  readonly name: string;
  readonly app: AppRef;
  readonly state: VolumeState;
  /** The machine that has its files. */
  readonly peer: { readonly id: string; readonly name: string };
  /** Whose dynos see it, and where. */
  readonly mount: { readonly type: string; readonly path: string } | null;
  readonly created_at: string;
};

/** One volume, with what its peer says of it: nulls where that peer does not answer. */
export type VolumeInfoResource = VolumeResource & {
  readonly bytes: number | null;
  /** `packing, 12 MB`: what is being done with it. */
  readonly doing: string | null;
};

const HELD = { move: 'moving', backup: 'backing-up', restore: 'restoring' } as const;

export function volumeResource(view: View, app: App, volume: Volume): VolumeResource {
  const { id, name, place, mount, hold, ready, createdAt } = volume;
  const unheld = ready ? 'ready' : 'arriving';
  return {
    id,
    name,
    app: appRef(app),
    state: hold === null ? unheld : HELD[hold],
    peer: peerRef(view, place.peer),
    mount: mount && { type: mount.type, path: mount.path },
    created_at: isoTime(createdAt),
  };
}

/** By name. */
export function volumesOf(app: App): readonly Volume[] {
  return [...app.volumes.values()].sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
}

/** The volume of an id or a name. Two sides of a split may have given one name twice: then the id it must be. */
export function mustFindVolume(app: App, idOrName: string): Volume {
  const byName = volumesOf(app).filter(({ name }) => name === idOrName);
  const [found] = [...app.volumes.values()].filter(({ id }) => id === idOrName).concat(byName);
  if (found === undefined) {
    throw new PlatformError('not_found', `Couldn't find the volume "${idOrName}" of "${app.name}".`, {
      resource: 'volume',
      hint: 'See `kith volumes` for those it has',
    });
  }
  if (byName.length > 1) {
    throw new PlatformError('conflict', `"${app.name}" has ${byName.length} volumes called "${idOrName}"`, {
      hint: `Name one by its id: ${byName.map(({ id }) => id).join(', ')}`,
    });
  }
  return found;
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
