import type { IncomingMessage, ServerResponse } from 'node:http';
import { PlatformError } from '../../src/errors.ts';
import { errorResource } from '../../src/platform/error.ts';
import type { Reply } from './reply.ts';
import { etagOf, isFresh } from './conditional.ts';

const UNREAD_BODY_WITHIN_MS = 2_000;

export function sendReply(message: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const text = JSON.stringify(reply.body);
  closeUnlessRead(message, response);
  const headers = { 'Cache-Control': 'private, no-cache', ...validatorsOf(reply, text), ...reply.headers };
  const isRead = message.method === 'GET' || message.method === 'HEAD';
  if (isRead && reply.status < 300 && isFresh(message, etagOf(text))) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(reply.status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** By which a client can tell later whether something has changed. */
function validatorsOf({ status, body }: Reply, text: string): Readonly<Record<string, string>> {
  if (status >= 300) return {};
  const updated: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'updated_at') : null;
  const date = typeof updated === 'string' ? new Date(updated) : null;
  const isKnown = date !== null && !Number.isNaN(date.getTime());
  return { ETag: etagOf(text), ...(isKnown ? { 'Last-Modified': date.toUTCString() } : {}) };
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
