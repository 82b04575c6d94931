import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ApiRequest } from './api.ts';
import { reasonOf } from './open-streams.ts';

export type Download = {
  /** For the log: `backup of a volume`. */
  readonly what: string;
  readonly type: string;
  /** In bytes, where it is known. */
  readonly length?: number;
  /** Aborts, with the reason, when the reader may not have it any more; absent: whoever was let in gets all of it. */
  readonly ended?: AbortSignal;
};

/**
 * Sends bytes as they come. Once the head is sent, a connection that breaks is how the client learns that they will not
 * all come.
 * @throws PlatformError only where `ended` aborted before the first byte
 */
export async function download(
  { api, response }: ApiRequest,
  bytes: Readable,
  { what, type, length, ended }: Download,
): Promise<void> {
  if (isOver(ended)) {
    bytes.destroy();
    throw reasonOf(ended);
  }
  response.writeHead(200, {
    'Content-Type': type,
    ...(length === undefined ? {} : { 'Content-Length': length }),
    'Cache-Control': 'no-store',
  });
  try {
    await pipeline(bytes, response, {
      signal: ended === undefined ? api.closing : AbortSignal.any([api.closing, ended]),
    });
  } catch (err) {
    response.destroy();
    api.log.info({ what, err: isOver(ended) ? reasonOf(ended) : err }, 'download broken off');
  }
}

function isOver(ended: AbortSignal | undefined): ended is AbortSignal {
  return ended?.aborted === true;
}
