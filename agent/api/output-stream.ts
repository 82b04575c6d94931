import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { reasonOf } from './open-streams.ts';
import { writeAll } from './write-all.ts';

// Clients give up after 60 s of silence; a NUL is what Heroku sends in its place.
const KEEP_ALIVE_MS = 25_000;

/** Sends a build's output as it comes, until it ends, the client leaves, `closing` aborts, or `ended`, which says why. */
export async function streamOutput(
  output: Readable,
  response: ServerResponse,
  { closing, ended }: { readonly closing: AbortSignal; readonly ended: AbortSignal },
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  const signal = AbortSignal.any([closing, ended, left.signal]);
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  const keepAlive = setInterval(() => response.write('\0'), KEEP_ALIVE_MS);
  const stop = (): void => {
    output.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of output) await writeAll(response, chunk as Buffer | string, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(keepAlive);
    signal.removeEventListener('abort', stop);
    output.destroy();
    if (ended.aborted) response.write(`\n !     ${reasonOf(ended).message}\n`);
    response.end();
  }
  if (!response.writableFinished && !response.destroyed) await once(response, 'close');
}
