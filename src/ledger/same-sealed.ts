import type { Sealed } from './values.ts';

/** Whether two values are the same in the clear, if one name seals both: see `Sealed`. Null is no value. */
export function isSameSealed(a: Sealed | null, b: Sealed | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
