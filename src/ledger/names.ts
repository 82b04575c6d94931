import type { AppId } from '../ids.ts';
import { compareStamps } from './hlc.ts';
import type { Hlc } from './hlc.ts';

/** A live app's claim to a name or a host name, or another thing's to its own. `hlc` is when the claim was made. */
export type Claim<Name extends string, Id extends string = AppId> = {
  readonly id: Id;
  readonly wanted: Name;
  readonly hlc: Hlc;
};

const NAME_LENGTH_MAX = 30;

/** Who holds each claimed thing: the oldest claim by (hlc, app id). */
export function assignOldest<Name extends string, Id extends string>(
  claims: readonly Claim<Name, Id>[],
): ReadonlyMap<Name, Id> {
  const holders = new Map<Name, Id>();
  for (const { wanted, id } of claims.toSorted(compareStamps)) {
    if (!holders.has(wanted)) holders.set(wanted, id);
  }
  return holders;
}

/**
 * The name that each live app is shown under. Where two sides of a split gave one name twice, the older claim keeps
 * it; the later app becomes `name-xxxx`, with as much of its id as makes it unique.
 */
export function assignNames<Name extends string, Id extends string>(
  claims: readonly Claim<Name, Id>[],
): ReadonlyMap<Name, Id> {
  const names = new Map(assignOldest(claims));
  for (const { wanted, id } of claims.toSorted(compareStamps)) {
    if (names.get(wanted) === id) continue;
    names.set(
      freeName(wanted, id, (name) => names.has(name), NAME_LENGTH_MAX),
      id,
    );
  }
  return names;
}

/** `name-xxxx`, with as much of the id as makes it free. */
export function freeName<Name extends string>(
  wanted: Name,
  id: string,
  isTaken: (name: Name) => boolean,
  lengthMax: number,
): Name {
  const digits = id.replaceAll('-', '');
  for (let length = 4; ; length += 4) {
    const suffix = digits.slice(0, length);
    const stem = wanted.slice(0, Math.max(1, lengthMax - 1 - suffix.length));
    const name = `${stem}-${suffix}` as Name;
    // Past the whole id nothing more can tell them apart: no two share one.
    if (!isTaken(name) || length > digits.length) return name;
  }
}
