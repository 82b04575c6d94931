import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
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

/** Makes the data directory, readable by its owner only. */
export async function openDataDir(path: string): Promise<DataDir> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PlatformError(
      'internal',
      `Cannot make the data directory "${path}": ${(cause as Error).message}`,
      {
        hint: 'Choose another one with --data DIR',
        cause,
      },
    );
  }
  const at = (name: string): string => join(path, name);
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
