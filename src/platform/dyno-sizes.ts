import type { DynoSize } from '../dyno-sizes.ts';
import { uuidOf } from './ids.ts';

export type DynoSizeResource = ReturnType<typeof dynoSizeResource>;

export function dynoSizeResource(size: DynoSize) {
  return {
    id: uuidOf('dyno-size', size.name),
    name: size.name,
    /** In GB, as on Heroku. */
    memory: size.memoryMiB / 1_024,
    compute: 0,
    dedicated: false,
    cost: null,
    dyno_units: 0,
    private_space_only: false,
  };
}
