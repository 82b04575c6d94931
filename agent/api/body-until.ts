import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import { reasonOf } from './open-streams.ts';

/**
 * The body of a request as it is uploaded, until `ended` aborts: that breaks it, with the reason. The request itself stays
 * whole whatever becomes of its body, so that whoever sends it can be answered.
 */
export function bodyUntil(ended: AbortSignal, message: IncomingMessage): Readable {
  const body = message.pipe(new PassThrough());
  const end = (): void => void body.destroy(reasonOf(ended));
  const left = (): void => {
    if (!message.complete) body.destroy(new PlatformError('bad_request', 'The client left in the middle'));
  };
  // Whoever reads it meets the error; it may come before anybody does.
  body.on('error', () => {});
  body.once('close', () => {
    ended.removeEventListener('abort', end);
    message.off('close', left);
    // A client that cannot send what is left of it would not read the answer.
    if (!message.complete) message.resume();
  });
  ended.addEventListener('abort', end, { once: true });
  message.once('close', left);
  if (ended.aborted) end();
  else if (message.destroyed) left();
  return body;
}
