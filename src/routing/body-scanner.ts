/** Follows a body through the bytes of a connection, so that they can be passed on as they are. */
export interface BodyScanner {
  /** The body's last byte has been seen. */
  readonly isDone: boolean;
  /** Only the connection's end is the body's end. */
  readonly endsWithConnection: boolean;
  /** Why the body cannot be followed any further; nothing after it may be passed on. */
  readonly error: string | null;
  /**
   * @param emit gets the content without the framing, piece by piece
   * @returns the offset in `buffer` where the body's bytes end: its length while the body goes on
   */
  push(buffer: Buffer, from: number, emit?: (content: Buffer) => void): number;
}
