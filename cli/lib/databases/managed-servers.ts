import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INTERNAL_HOST } from '../../../src/internal-host.ts';
import { UsageError } from '../line/cli-error.ts';

/** A server that Kith runs for a built-in provider, as an app of its own. */
export type ManagedServer = {
  readonly provider: string;
  /** What is deployed: a folder that comes with Kith. */
  readonly source: string;
  /** What the provider's setting `server` is to be. */
  readonly address: (password: string, port: number) => string;
};

/** The process type of every such app, and where its dyno has the volume. */
export const SERVER_TYPE = 'server';
export const SERVER_VOLUME = { name: 'data', path: '/app/data' } as const;
const FILES = ['Procfile', 'start'];

const SERVICES = join(import.meta.dirname, '..', '..', '..', 'services');

const SERVERS: readonly ManagedServer[] = [
  {
    provider: 'kith-postgresql',
    source: join(SERVICES, 'postgresql'),
    address: (password, port) => `${at('postgres', password, port)}/postgres`,
  },
  {
    provider: 'kith-redis',
    source: join(SERVICES, 'redis'),
    address: (password, port) => at('redis', password, port),
  },
];

export function mustServer(provider: string): ManagedServer {
  const found = SERVERS.find((server) => server.provider === provider);
  if (found !== undefined) return found;
  const ids = SERVERS.map((server) => server.provider).join(' and ');
  throw new UsageError(`Kith runs no server for "${provider}"`, `It does for ${ids}`);
}

/** Tells what is deployed from what another version of Kith deploys. */
export async function versionOf({ source }: ManagedServer): Promise<string> {
  const hash = createHash('sha256');
  for (const name of FILES) hash.update(await readFile(join(source, name)));
  return hash.digest('hex').slice(0, 40);
}

function at(protocol: string, password: string, port: number): string {
  return `${protocol}://kith:${encodeURIComponent(password)}@${INTERNAL_HOST}:${port}`;
}
