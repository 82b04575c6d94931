import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../line/cli-error.ts';
import { readHosts } from './hosts.ts';
import type { World } from '../line/world.ts';

/** Where a peer's API answers: over HTTP with a token, or by the Unix socket of the agent here, which needs none. */
export type Endpoint =
  | { readonly kind: 'http'; readonly base: string; readonly token: string | null }
  | {
      readonly kind: 'unix';
      readonly path: string;
      /** Null for a socket that lies elsewhere. */ readonly dataDir: string | null;
    };

export const API_PORT = 5001;
const SOCKET_NAME = 'kith.sock';

/**
 * `--host`, KITH_HOST, `--data`, KITH_DATA, the agent of this machine where it has a socket, the last saved login; and
 * with none of them the socket that the agent of this machine would have.
 */
export function resolveEndpoint(
  flags: { readonly host: string | undefined; readonly data: string | undefined },
  env: World['env'],
): Endpoint {
  const host = flags.host ?? (flags.data === undefined ? nonEmpty(env['KITH_HOST']) : undefined);
  if (host !== undefined) return parseHost(host, env);
  const data = flags.data ?? nonEmpty(env['KITH_DATA']);
  if (data !== undefined) return socketOf(resolve(data));
  const local = socketOf(defaultDataDir(env));
  if (existsSync(local.path)) return local;
  const saved = readHosts(env).default;
  return saved === null ? local : parseHost(saved, env);
}

/** `10.0.0.2:5001`, `http://…`, `https://…` or `unix:/path`. */
export function parseHost(host: string, env: World['env']): Endpoint {
  if (host.startsWith('unix:')) {
    const path = host.slice('unix:'.length);
    return { kind: 'unix', path, dataDir: basename(path) === SOCKET_NAME ? dirname(resolve(path)) : null };
  }
  const base = parseBase(host);
  return {
    kind: 'http',
    base,
    token: nonEmpty(env['KITH_TOKEN']) ?? readHosts(env).hosts[base]?.token ?? null,
  };
}

/** The base URL of an API address, without a slash at its end. */
export function parseBase(host: string): string {
  const text = /^https?:\/\//.test(host) ? host : `http://${host}`;
  const hint = 'Write it like 10.0.0.2:5001, http://10.0.0.2:5001 or unix:/path/kith.sock';
  if (!URL.canParse(text)) throw new UsageError(`"${host}" is no address of a peer`, hint);
  const url = new URL(text);
  if (url.pathname !== '/' || url.search !== '')
    throw new UsageError(`"${host}" is no address of a peer`, hint);
  // A bare host means the port that agents use; a URL means what it says.
  const port = url.port === '' && text !== host && !host.endsWith(':80') ? `:${API_PORT}` : '';
  return `${url.protocol}//${url.host}${port}`;
}

export function endpointLabel(endpoint: Endpoint): string {
  return endpoint.kind === 'http' ? endpoint.base.replace(/^http:\/\//, '') : endpoint.path;
}

/** Where the agent of this machine keeps its things. */
export function defaultDataDir(env: World['env']): string {
  if (process.getuid?.() === 0) return '/var/lib/kith';
  return join(nonEmpty(env['HOME']) ?? homedir(), '.local/share/kith');
}

function socketOf(dataDir: string): Extract<Endpoint, { kind: 'unix' }> {
  return { kind: 'unix', path: join(dataDir, SOCKET_NAME), dataDir };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
