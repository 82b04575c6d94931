import { uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

/** The stack that slugs are built on: classic buildpacks know it by this name. */
export const STACK_NAME = 'heroku-24';
export const REGION_NAME = 'here';

/** What an Engine calls the image that dynos run on, unless the settings name another. `scripts/stack` makes it. */
export const STACK_IMAGE = 'kith/stack:bookworm';

export type NamedResource = { readonly id: string; readonly name: string };

export function stackRef(name: string): NamedResource {
  return { id: uuidOf('stack', name), name };
}

export function regionRef(): NamedResource {
  return { id: uuidOf('region', REGION_NAME), name: REGION_NAME };
}

export function stackResource(name: string) {
  return {
    ...stackRef(name),
    default: true,
    state: 'public',
    created_at: isoTime(0),
    updated_at: isoTime(0),
  };
}

/** A cluster is one region: wherever its peers stand. */
export function regionResource(clusterName: string) {
  return {
    ...regionRef(),
    country: 'Here',
    description: clusterName,
    locale: 'Wherever the peers stand',
    private_capable: false,
    provider: { name: 'kith', region: clusterName },
    created_at: isoTime(0),
    updated_at: isoTime(0),
  };
}
