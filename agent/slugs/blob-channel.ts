import type { Duplex } from 'node:stream';
import { PlatformError, type ErrorRecord } from '../../src/errors.ts';
import type { BlobId } from '../../src/ids.ts';

/** Asks for the bytes of a blob from `offset` on; the answer is a `BlobReply` and then those bytes. */
export type BlobAsk = { readonly id: BlobId; readonly offset: number };
export type BlobReply = { readonly size: number } | { readonly error: ErrorRecord };

// A header is one short JSON object; more means that the other side speaks something else.
const HEADER_BYTES_MAX = 4096;

/** Sends one JSON line; what follows on the channel may be raw bytes. */
export function writeHeader(channel: Duplex, header: BlobAsk | BlobReply): void {
  channel.write(`${JSON.stringify(header)}\n`);
}

/**
 * Reads one JSON line and leaves everything after it on the channel.
 * @param withinMs how long the other side may take
 */
export function readHeader(channel: Duplex, withinMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      channel.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      act();
    };
    const fail = (reason: string): void =>
      settle(() => reject(new PlatformError('unavailable', `Cannot read a blob header: ${reason}`)));
    const onEnd = (): void => fail('the channel ended');
    const onError = (error: Error): void => fail(error.message);
    const onReadable = (): void => {
      for (let chunk: unknown = channel.read(); chunk !== null; chunk = channel.read()) {
        if (!(chunk instanceof Uint8Array)) return fail('it is no byte stream');
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf(10);
        if (end === -1 && seen.length > HEADER_BYTES_MAX) return fail('it is too long');
        if (end === -1) continue;
        const rest = seen.subarray(end + 1);
        return settle(() => {
          if (rest.length > 0) channel.unshift(rest);
          try {
            resolve(JSON.parse(seen.subarray(0, end).toString('utf8')));
          } catch (cause) {
            reject(new PlatformError('bad_request', 'Cannot read a blob header: it is no JSON', { cause }));
          }
        });
      }
    };
    const timer = setTimeout(() => fail(`nothing came within ${withinMs} ms`), withinMs);
    channel.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);
    onReadable();
  });
}

const BLOB_ID = /^[0-9a-f]{64}$/;

export function isBlobId(value: unknown): value is BlobId {
  return typeof value === 'string' && BLOB_ID.test(value);
}

export function parseAsk(value: unknown): BlobAsk | null {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('offset' in value)) return null;
  const { id, offset } = value;
  if (!isBlobId(id) || typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) return null;
  return { id, offset };
}

/** The size that the other side holds; throws when it said anything else. */
export function parseSize(value: unknown): number {
  if (typeof value === 'object' && value !== null && 'size' in value) {
    const { size } = value;
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size;
  }
  throw new PlatformError('unavailable', `The peer does not give the blob: ${JSON.stringify(value)}`);
}
