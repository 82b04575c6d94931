import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { PlatformError } from '../../src/errors.ts';

export type Service = 'upload-pack' | 'receive-pack';

/** Throws `forbidden` for the dumb protocol, which would show files rather than history. */
export function parseService(text: string | null): Service {
  if (text === 'git-upload-pack') return 'upload-pack';
  if (text === 'git-receive-pack') return 'receive-pack';
  throw new PlatformError('forbidden', 'Only smart HTTP is spoken here', { hint: 'Use git 1.6.6 or newer' });
}

/** Which protocol version the client speaks; anything odd is not passed on. */
export function protocolEnv(request: IncomingMessage): Readonly<Record<string, string>> {
  const version = request.headers['git-protocol'];
  return typeof version === 'string' && /^[a-z0-9=:]{1,64}$/.test(version) ? { GIT_PROTOCOL: version } : {};
}

/** Git's answers are never to be cached. */
export function start(response: ServerResponse, type: string): void {
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' });
}

/** The request's body to git, git's output to the response. A client that leaves stops only its own half. */
export async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  stdin: NodeJS.WritableStream | null,
  stdout: Readable | null,
): Promise<void> {
  if (stdin === null || stdout === null) throw new PlatformError('internal', 'Git has no pipes');
  const isZipped = /^(?:x-)?gzip$/.test(request.headers['content-encoding'] ?? '');
  const sent = isZipped ? pipeline(request, createGunzip(), stdin) : pipeline(request, stdin);
  // Git that ends early (a refused request) closes its input: what matters is what it answered.
  sent.catch(() => undefined);
  response.on('close', () => stdout.resume());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stdout.on('end', resolve).on('error', reject);
  stdout.pipe(response);
  await promise;
}
