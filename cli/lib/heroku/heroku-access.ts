import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ClusterResource } from '../../../src/platform/cluster.ts';
import { CliError } from '../line/cli-error.ts';
import type { Context } from '../line/context.ts';
import { gitBase } from '../deploy/git-setup.ts';
import { hostsPath } from '../api/hosts.ts';

/** A peer's API port, and whether the official CLI would send a token there. */
export type Target = { readonly host: string; readonly port: number; readonly isNear: boolean };

/** The official CLI gives its token to these two names of loopback, and to no other. */
const NEAR = new Set(['127.0.0.1', 'localhost']);

/**
 * Where the peer's API listens. The agent behind a Unix socket is spoken to by its port all the same: the socket knows
 * neither TLS, which attaching and git need, nor tokens, so that forwarding it would let in every user of this machine.
 */
export async function targetOf(context: Context): Promise<Target> {
  const { protocol, hostname, port } = new URL(await gitBase(context));
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(port) || (protocol === 'https:' ? 443 : 80), isNear: NEAR.has(host) };
}

/** A token for the peer: the saved login or KITH_TOKEN, or what the agent here keeps in its folder for its owner. */
export function tokenOf({ endpoint, world }: Context): string {
  if (endpoint.kind === 'http') {
    if (endpoint.token !== null) return endpoint.token;
    const hint = `Log in with \`kith login --host ${endpoint.base}\`, or set KITH_TOKEN`;
    throw new CliError(`There is no token for ${endpoint.base}`, { hint });
  }
  const own = endpoint.dataDir === null ? null : readToken(join(endpoint.dataDir, 'token'));
  const token = own ?? world.env['KITH_TOKEN'] ?? '';
  if (token !== '') return token;
  throw new CliError('The official CLI needs a token, even for the agent of this machine', {
    hint: 'Make one with `kith tokens:create USER`, and set KITH_TOKEN to it',
  });
}

function readToken(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch (error) {
    // The folder is another user's: they may have given us a token.
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/**
 * Writes the certificate of the cluster's CA beside the saved logins, with those that the environment makes Node and git
 * trust: the file takes the place of theirs. @returns the file, the same each time for one cluster
 */
export async function writeCa({ api, world }: Context): Promise<string> {
  const { id, ca_cert: own } = await api.get<ClusterResource>('/kith/cluster');
  if (id === null || own === null) {
    throw new CliError('The peer has no certificate of its cluster yet', { hint: 'Try again in a moment' });
  }
  const others = [world.env['NODE_EXTRA_CA_CERTS'], world.env['GIT_SSL_CAINFO']].map(readTrusted);
  const certificates = new Set([own, ...others].flatMap((text) => text.match(CERTIFICATE) ?? []));
  const file = join(dirname(hostsPath(world.env)), `ca-${id}.pem`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, `${[...certificates].join('\n')}\n`);
  renameSync(fresh, file);
  return file;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readTrusted(file: string | undefined): string {
  if (file === undefined || file === '') return '';
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // A variable that points nowhere trusts nobody.
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
