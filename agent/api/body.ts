import type { IncomingMessage } from 'node:http';
import { PlatformError } from '../../src/errors.ts';

const BODY_BYTES_MAX = 1024 * 1024;
const BODY_WITHIN_MS = 30_000;

/**
 * A JSON body; none at all is an empty record, for Heroku's clients leave it out when they say nothing.
 * @throws PlatformError `bad_request` for what is no JSON
 */
export function parseJson(body: Buffer): unknown {
  const text = body.toString('utf8');
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PlatformError('bad_request', 'Cannot read the body: it is no valid JSON', { cause });
  }
}

/** A form (`application/x-www-form-urlencoded`), as OAuth has it, or JSON. @throws as `readBody` and `parseJson` do */
export async function readFields(message: IncomingMessage): Promise<unknown> {
  const body = await readBody(message);
  const isForm = message.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return isForm ? Object.fromEntries(new URLSearchParams(body.toString('utf8'))) : parseJson(body);
}

/**
 * The request's body, whatever it is.
 * @throws PlatformError `too_large` past 1 MiB, `bad_request` for what comes too slowly or not whole
 */
export function readBody(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      message.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError);
      end();
    };
    const fail = (error: PlatformError): void => settle(() => reject(error));
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) return;
      message.pause();
      fail(new PlatformError('too_large', `Cannot read the body: it has more than ${BODY_BYTES_MAX} bytes`));
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onError = (): void =>
      fail(new PlatformError('bad_request', 'Cannot read the body: the client left before its end'));
    const timer = setTimeout(() => {
      fail(
        new PlatformError('bad_request', `Cannot read the body: it did not come within ${BODY_WITHIN_MS} ms`),
      );
    }, BODY_WITHIN_MS);
    message.on('data', onData).on('end', onEnd).on('error', onError).on('close', onError);
  });
}
