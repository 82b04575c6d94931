/** A place at a dyno, taken with the choice, so that the dyno cannot be declared drained in between. */
export interface Seat {
  /** The table still sends there. */
  isCurrent(): boolean;
  leave(): void;
}
