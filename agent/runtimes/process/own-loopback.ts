import { createHash } from 'node:crypto';

/**
 * A loopback address (127.64.0.0/10) of one peer's own, so that the routers of several peers of a machine can listen on
 * the same numbers: internal ports are the same at every peer.
 * @param owner names the peer's data folder
 */
export function ownLoopback(owner: string): string {
  const hash = createHash('sha256').update(owner).digest();
  const [second = 0, third = 0, fourth = 0] = hash;
  return `127.${64 + (second % 64)}.${third}.${1 + (fourth % 254)}`;
}
