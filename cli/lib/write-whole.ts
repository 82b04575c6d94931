import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { fileError } from './line/file-error.ts';

/** Writes what a peer sends to a file that only we may read, under its own name only once it is whole. @returns bytes */
export async function writeWhole(target: string, sent: IncomingMessage): Promise<number> {
  const partial = `${target}.partial`;
  const file = createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true });
  try {
    await pipeline(sent, file);
    if (!sent.complete) throw new Error('the peer broke off');
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw fileError(target, error);
  }
  return file.bytesWritten;
}
