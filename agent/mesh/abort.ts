/**
 * Ends a connection or a stream at once, whatever state it is in. libp2p's `abort` tells the other side first, and
 * throws when that side has closed already: it is what we wanted, and must not take the agent down.
 */
export function abortQuietly(target: { abort(error: Error): void }, reason: string | Error): void {
  try {
    target.abort(typeof reason === 'string' ? new Error(reason) : reason);
  } catch {
    // Closed already.
  }
}
