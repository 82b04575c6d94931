import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, constants, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '../../src/errors.ts';
import { readSecretFile, writeSecretFile } from '../lib/secret-file.ts';

/** Where everything of a peer lies. */
export type DataDir = {
  readonly path: string;
  readonly store: string;
  readonly blobs: string;
  readonly logs: string;
  readonly token: string;
  readonly socket: string;
  readonly grant: string;
};

/** The longest path in it that must fit into a Unix socket's address, which has room for 107 bytes. */
const LONGEST_SOCKET = join('keeper', 'keeper.sock');
const SOCKET_BYTES_MAX = 107;

/** Makes the data directory, readable by its owner only. */
export async function openDataDir(path: string): Promise<DataDir> {
  const hint = 'Choose another one with --data DIR';
  const bytesMax = SOCKET_BYTES_MAX - LONGEST_SOCKET.length - 1;
  if (Buffer.byteLength(path) > bytesMax) {
    const found = `its path has ${Buffer.byteLength(path)} bytes, and sockets in it allow ${bytesMax}`;
    throw new PlatformError('bad_request', `Cannot use the data directory "${path}": ${found}`, { hint });
  }
  const at = (name: string): string => join(path, name);
  try {
    await makeFolder(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    // The others make their own. A directory that was there before may be open to all; what is in it is not.
    await makeFolder(at('store'));
  } catch (cause) {
    const { message } = cause as Error;
    throw new PlatformError('internal', `Cannot use the data directory "${path}": ${message}`, {
      hint,
      cause,
    });
  }
  return {
    path,
    store: at('store'),
    blobs: at('blobs'),
    logs: at('logs'),
    token: at('token'),
    socket: at('kith.sock'),
    grant: at('join-grant'),
  };
}

/** Not Node's own `recursive`, which tries for ever where a file system knows no new folders (/proc). */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

/** The peer's Ed25519 seed, made at the first start. The router process reads the same file. */
export function loadSeed(dir: string): Uint8Array {
  const path = join(dir, 'key');
  const text = readSecretFile(path);
  if (text === null) {
    const seed = randomBytes(32);
    writeSecretFile(path, `${seed.toString('hex')}\n`);
    return seed;
  }
  const seed = Buffer.from(text.trim(), 'hex');
  if (seed.length === 32) return seed;
  throw new PlatformError(
    'internal',
    `The peer's key "${path}" is damaged: found ${seed.length} bytes, not 32`,
    {
      hint: 'Restore it from a backup; without it this host must join again under a new key',
    },
  );
}
