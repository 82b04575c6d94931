import { existsSync } from 'node:fs';
import type Docker from 'dockerode';
import { PlatformError } from '../../src/errors.ts';

/** The Engine's client; its library is loaded when an Engine is looked for, and not by peers without one. */
export type Engine = Docker;

const DEFAULT_SOCKET = '/var/run/docker.sock';
// Where there is none, its socket says so at once: this is for one that is busy, as after the boot of a host.
const ANSWER_MS_MAX = 15_000;

/**
 * Connects to the Engine of this host.
 * @param host `unix:///path/to/socket`; without it DOCKER_HOST, or the usual socket
 * @throws PlatformError `unavailable` when none answers within 15 s
 */
export async function connectEngine(host?: string): Promise<Engine> {
  const socketPath = socketOf(host ?? (process.env['DOCKER_HOST'] || `unix://${DEFAULT_SOCKET}`));
  if (!existsSync(socketPath)) throw unreachable(socketPath, 'nothing answers there');
  const { default: Client } = await import('dockerode');
  const engine = new Client({ socketPath });
  try {
    await within(ANSWER_MS_MAX, 'a ping', engine.ping());
    return engine;
  } catch (cause) {
    throw unreachable(socketPath, reasonOf(cause), cause);
  }
}

/** The Engine of this host, or null where none answers us. */
export async function findEngine(): Promise<Engine | null> {
  try {
    return await connectEngine();
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'unavailable') return null;
    throw error;
  }
}

function unreachable(socketPath: string, reason: string, cause?: unknown): PlatformError {
  return new PlatformError('unavailable', `Cannot reach a Docker Engine at "${socketPath}": ${reason}`, {
    hint: 'Start it, set DOCKER_HOST to its socket, or use --runtime process',
    cause,
  });
}

/** Dynos are reached at this host's own networks, and builds see its folders: an Engine elsewhere is of no use. */
function socketOf(host: string): string {
  if (host.startsWith('unix://')) return host.slice('unix://'.length) || DEFAULT_SOCKET;
  throw new PlatformError('unavailable', `Cannot use the Docker Engine "${host}": it is not on this host`, {
    hint: 'Set DOCKER_HOST to a unix:// socket, or use --runtime process',
  });
}

/** HTTP status of a refusal; null for what is no answer of the Engine. */
export function statusOf(error: unknown): number | null {
  return (error as { statusCode?: number } | null)?.statusCode ?? null;
}

/** The Engine's own words, without the library's. */
export function reasonOf(error: unknown): string {
  const { json, message, code } = error as { json?: { message?: string }; message?: string; code?: string };
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'nothing answers there';
  return json?.message ?? (message === undefined || message === '' ? String(error) : message);
}

/** Whether the Engine itself is away, rather than refusing. */
export function isAway(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return (
    code === 'ECONNREFUSED' ||
    code === 'ENOENT' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    message === 'socket hang up'
  );
}

/** What the user of a runtime is told: `what` is "Cannot start "web.1"". */
export function engineError(what: string, cause: unknown): PlatformError {
  if (cause instanceof PlatformError) return cause;
  if (isAway(cause)) {
    return new PlatformError('unavailable', `${what}: the Docker Engine does not answer`, { cause });
  }
  const reason = reasonOf(cause);
  const isFull = /no space left/i.test(reason);
  return new PlatformError(isFull ? 'disk_full' : 'internal', `${what}: ${reason}`, { cause });
}

/** Rejects with `timeout` when a request takes longer; the request itself is left to end by itself. */
export async function within<T>(ms: number, what: string, request: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `Cannot go on: the Docker Engine did not answer ${what} within ${ms / 1000} s`;
    late.reject(new PlatformError('timeout', message));
  }, ms);
  try {
    return await Promise.race([request, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does nothing about what is gone already, or is going. */
export async function unlessGone(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404 || status === 304) return;
    if (status === 409 && /already in progress|is not running/.test(reasonOf(error))) return;
    throw error;
  }
}
