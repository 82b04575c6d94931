/** Hybrid logical clock: wall milliseconds and a counter for writes within one of them. */
export type Hlc = { readonly ms: number; readonly n: number };

/** A clock further ahead than this is wrong: its ops still apply, but nobody's clock follows it. */
export const HLC_AHEAD_MS_MAX = 60_000;

/** The time of the next op: later than any this peer gave or adopted, and the wall's when that moved on. */
export function nextHlc(last: Hlc, wall: number): Hlc {
  return wall > last.ms ? { ms: wall, n: 0 } : { ms: last.ms, n: last.n + 1 };
}

/** What this peer's clock is after it saw a remote time: the later of both, unless that is absurdly far ahead. */
export function adoptHlc(last: Hlc, remote: Hlc, wall: number): Hlc {
  if (remote.ms > wall + HLC_AHEAD_MS_MAX) return last;
  return compareHlc(remote, last) > 0 ? remote : last;
}

/** Negative when `a` is earlier. */
export function compareHlc(a: Hlc, b: Hlc): number {
  return a.ms - b.ms || a.n - b.n;
}

/** A total order of things with a time and an id, the same at every peer: by time, then by id. */
export function compareStamps<Id extends string>(
  a: { readonly hlc: Hlc; readonly id: Id },
  b: { readonly hlc: Hlc; readonly id: Id },
): number {
  return compareHlc(a.hlc, b.hlc) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
