/** A dyno size as Heroku sells it: the memory quota, its part of the CPUs, and how many processes and threads it may have. */
export type DynoSize = {
  /** As the API prints it: `Standard-1X`. */
  readonly name: string;
  readonly memoryMiB: number;
  /** Weight beside others when the CPUs do not suffice, 1,024 for the smallest dyno: idle CPUs are anybody's. */
  readonly cpuShares: number;
  readonly processes: number;
};

// https://devcenter.heroku.com/articles/dyno-types
export const DYNO_SIZES: readonly DynoSize[] = [
  { name: 'Eco', memoryMiB: 512, cpuShares: 1_024, processes: 256 },
  { name: 'Basic', memoryMiB: 512, cpuShares: 1_024, processes: 256 },
  { name: 'Standard-1X', memoryMiB: 512, cpuShares: 1_024, processes: 256 },
  { name: 'Standard-2X', memoryMiB: 1_024, cpuShares: 2_048, processes: 512 },
  { name: 'Performance-M', memoryMiB: 2_560, cpuShares: 12_288, processes: 16_384 },
  { name: 'Performance-L', memoryMiB: 14_336, cpuShares: 51_200, processes: 32_768 },
  { name: 'Performance-L-RAM', memoryMiB: 30_720, cpuShares: 24_576, processes: 24_576 },
  { name: 'Performance-XL', memoryMiB: 63_488, cpuShares: 102_400, processes: 32_768 },
  { name: 'Performance-2XL', memoryMiB: 129_024, cpuShares: 204_800, processes: 65_536 },
];

/** In the environment of each dyno: its quota in MiB, by which servers measure their caches. */
export const MEMORY_VARIABLE = 'KITH_MEMORY_MIB';

export const DEFAULT_SIZE: DynoSize = { name: 'Basic', memoryMiB: 512, cpuShares: 1_024, processes: 256 };

const sizesByName: ReadonlyMap<string, DynoSize> = new Map(
  DYNO_SIZES.map((size) => [size.name.toLowerCase(), size]),
);

/** The size of that name, in any case; null when there is none. */
export function parseSize(text: string): DynoSize | null {
  return sizesByName.get(text.trim().toLowerCase()) ?? null;
}

/** The size of a name that is in the ledger or in facts already: one that only newer agents know counts as the default. */
export function sizeOf(name: string): DynoSize {
  return parseSize(name) ?? DEFAULT_SIZE;
}
