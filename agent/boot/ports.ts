import { createServer } from 'node:net';
import { once } from 'node:events';

/**
 * The port to listen on: the one in the settings; for a 0, the one of the last run while it is free, so that other
 * peers find this one where it was.
 */
export async function pickPort(host: string, wanted: number, last: number | undefined): Promise<number> {
  if (wanted !== 0 || last === undefined) return wanted;
  const probe = createServer();
  try {
    probe.listen(last, host);
    await once(probe, 'listening');
    return last;
  } catch {
    // Somebody else has it by now.
    return 0;
  } finally {
    probe.close();
  }
}

/** The TCP port in a multiaddr; 0 when it names none. */
export function portOf(multiaddr: string): number {
  return Number(/\/tcp\/(\d+)/.exec(multiaddr)?.[1] ?? 0);
}
