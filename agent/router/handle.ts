import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { RouterHandle } from '../../src/shell/router.ts';
import { ensureCertificate } from './certificate.ts';
import { RouterClient } from './router-client.ts';
import type { RouterSettings } from './settings.ts';

export type OpenRouterOptions = {
  /** The peer's data directory; its `key` must be there. */
  readonly dir: string;
  readonly host: string;
  /** 0: any free port, kept for as long as this agent lives. */
  readonly port: number;
  /** The same for a second listener, for https alone; null: none. */
  readonly httpsPort: number | null;
  readonly proxyHost: string;
  readonly proxyPort: number;
  readonly log: Logger;
  /** For tests, which cannot wait for Heroku's times. Heeded only by a process that this call starts. */
  readonly settings?: Partial<RouterSettings>;
};

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
