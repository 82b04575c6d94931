import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** What a stream holds, unpacked where its first two bytes are gzip's. Destroying the source is the caller's. */
export async function gunzipped(source: Readable): Promise<AsyncIterable<Uint8Array>> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const first = await chunks.next();
  const all = (async function* (): AsyncGenerator<Uint8Array> {
    for (let item = first; item.done !== true; item = await chunks.next()) yield item.value;
  })();
  if (first.done === true || first.value[0] !== 0x1f || first.value[1] !== 0x8b) return all;
  const gunzip = createGunzip();
  void (async () => {
    try {
      for await (const chunk of all) {
        if (!gunzip.write(chunk)) await drained(gunzip);
        if (gunzip.destroyed) return;
      }
      gunzip.end();
    } catch (error) {
      gunzip.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  })();
  return gunzip as AsyncIterable<Uint8Array>;
}

/** Resolves also when the stream is closed: then nobody reads it any more. */
function drained(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
