import type { IncomingMessage, ServerResponse } from 'node:http';
import { PlatformError } from '../../src/errors.ts';
import { errorResource } from '../../src/platform/error.ts';
import type { Reply } from './api.ts';

const UNREAD_BODY_WITHIN_MS = 2_000;

export function sendReply(message: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const text = JSON.stringify(reply.body);
  closeUnlessRead(message, response);
  response.writeHead(reply.status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'private, no-store',
    ...reply.headers,
  });
  response.end(text);
}

/** After a response has begun, an error can only cut it off. */
export function sendError(message: IncomingMessage, response: ServerResponse, error: PlatformError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  sendReply(message, response, { status: error.status, body: errorResource(error) });
}

/** As git shows it: `remote: MESSAGE`. Without the challenge, git does not ask for credentials. */
export function sendGitError(message: IncomingMessage, response: ServerResponse, error: PlatformError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  closeUnlessRead(message, response);
  response.writeHead(error.status, {
    'Content-Type': 'text/plain; charset=utf-8',
    ...(error.code === 'unauthorized' ? { 'WWW-Authenticate': 'Basic realm="Kith"' } : {}),
  });
  response.end(`${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`);
}

/** What a client is told of an error, whatever was thrown. */
export function toPlatformError(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  return new PlatformError('internal', 'The peer failed to handle the request', {
    hint: "Its log has the cause, under this response's Request-Id",
    cause: error,
  });
}

/**
 * A request that is answered before its body was read: the client is given a moment to notice before the connection
 * goes, or else it would see a reset instead of the answer.
 */
function closeUnlessRead(message: IncomingMessage, response: ServerResponse): void {
  if (message.complete) return;
  const hasBody =
    message.headers['transfer-encoding'] !== undefined || Number(message.headers['content-length']) > 0;
  if (!hasBody) return;
  response.setHeader('Connection', 'close');
  message.resume();
  const timer = setTimeout(() => message.socket.destroy(), UNREAD_BODY_WITHIN_MS);
  message.socket.once('close', () => clearTimeout(timer));
}
