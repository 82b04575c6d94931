/** Dyno sizes by the name the API shows, smallest first; memory in MiB. https://devcenter.heroku.com/articles/dyno-types */
export const DYNO_MEMORY_MIB = {
  Eco: 512,
  Basic: 512,
  'Standard-1X': 512,
  'Standard-2X': 1_024,
  'Performance-M': 2_560,
  'Performance-L': 14_336,
  'Performance-L-RAM': 30_720,
  'Performance-XL': 63_488,
  'Performance-2XL': 129_024,
} as const;

export type DynoSize = keyof typeof DYNO_MEMORY_MIB;

/** What a process type gets that nobody has sized. */
export const DEFAULT_DYNO_SIZE: DynoSize = 'Basic';

/** The size by this name in any case, as the API writes it; null when there is none. */
export function parseDynoSize(name: string): DynoSize | null {
  const wanted = name.toLowerCase();
  return dynoSizes().find((size) => size.toLowerCase() === wanted) ?? null;
}

export function dynoSizes(): readonly DynoSize[] {
  return Object.keys(DYNO_MEMORY_MIB) as DynoSize[];
}
