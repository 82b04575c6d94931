/**
 * How far a reader is in one peer's lines of an app. `boot` names one run of that peer's agent (wall ms, always
 * growing): a crash may lose the last numbers it gave, so that numbers are only comparable within a boot.
 */
export type LogPosition = { readonly boot: number; readonly seq: number };

export type Advance = {
  readonly position: LogPosition;
  /** False for a line that was seen before, or that comes late from an earlier boot. */
  readonly isFresh: boolean;
  /** Lines between the last one seen and this one. */
  readonly missed: number;
};

/** Takes the line `seq` of `boot`. A reader without a position takes whatever comes first, without a gap. */
export function advance(position: LogPosition | undefined, boot: number, seq: number): Advance {
  if (position === undefined) return { position: { boot, seq }, isFresh: true, missed: 0 };
  const isOld = boot < position.boot || (boot === position.boot && seq <= position.seq);
  if (isOld) return { position, isFresh: false, missed: 0 };
  return { position: { boot, seq }, isFresh: true, missed: Math.max(0, seq - position.seq - 1) };
}

/** Whether a peer's lines went on from `b` to `a`. */
export function isLater(a: LogPosition, b: LogPosition): boolean {
  return a.boot > b.boot || (a.boot === b.boot && a.seq > b.seq);
}
