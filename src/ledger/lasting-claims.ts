import { compareHlc, compareStamps } from './hlc.ts';
import type { Hlc } from './hlc.ts';
import type { Write } from './register.ts';

/** That a holder was to have something (`value`) that no two may have, until another moment; null: it has it still. */
export type LastingClaim<Value> = Write<Value> & { readonly holder: string; readonly until: Hlc | null };

/**
 * What each claim came to, the earliest first. Of two that overlap the earlier has it, and the later has what `giveWay` finds for it:
 * for good, even when what it wanted becomes free, for people and programs have come to know it under that.
 * @param giveWay null: there is nothing else to be had
 */
export function settleClaims<Value, Of>(
  claims: readonly (LastingClaim<Value> & Of)[],
  giveWay: (claim: LastingClaim<Value> & Of, isTaken: (value: Value) => boolean) => Value | null,
): ReadonlyMap<LastingClaim<Value> & Of, Value> {
  const settled = new Map<LastingClaim<Value> & Of, Value>();
  const latest = new Map<Value, LastingClaim<Value>>();
  for (const claim of claims.toSorted(compareStamps)) {
    const isTaken = (value: Value): boolean => {
      const other = latest.get(value);
      if (other === undefined || other.holder === claim.holder) return false;
      return other.until === null || compareHlc(claim.hlc, other.until) < 0;
    };
    const value = isTaken(claim.value) ? giveWay(claim, isTaken) : claim.value;
    if (value === null) continue;
    latest.set(value, claim);
    settled.set(claim, value);
  }
  return settled;
}

/** The writes of one register one after the other, up to the one that counts. */
export function oneAfterAnother<Value>(
  writes: readonly Write<Value>[],
  last: Write<Value>,
): readonly Write<Value>[] {
  // One with a later time than the last was seen by its writer, and replaced: a clock there was ahead.
  return [...writes.filter((each) => compareStamps(each, last) < 0).sort(compareStamps), last];
}
