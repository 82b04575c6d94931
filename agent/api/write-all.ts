import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes, and waits while the reader is slow. Rejects when `signal` aborts meanwhile. */
export async function writeAll(to: Writable, chunk: string | Uint8Array, signal: AbortSignal): Promise<void> {
  if (!to.write(chunk)) await once(to, 'drain', { signal });
}
