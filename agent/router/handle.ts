import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RouterHandle } from '../../src/shell/router.ts';
import { ensureCertificate } from './certificate.ts';
import { RouterClient } from './router-client.ts';
import { type OpenRouterOptions } from './open-options.ts';

/**
 * Takes hold of this peer's router process: the one that a former agent left, with the ports it has, or a new one.
 * Throws `conflict` when a port is taken.
 */
export async function openRouter(options: OpenRouterOptions): Promise<RouterHandle> {
  await mkdir(join(options.dir, 'router'), { recursive: true, mode: 0o700 });
  await ensureCertificate(options.dir);
  const client = new RouterClient(options);
  await client.open();
  return client;
}
