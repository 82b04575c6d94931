import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import { errorResource } from '../../src/platform/error.ts';
import { FRAME, encodeFrame } from '../../src/platform/attach-frames.ts';
import type { AttachSession, AttachSessions } from './attach-sessions.ts';
import { reasonOf } from './open-streams.ts';

const PATH = /^\/kith\/attach\/([A-Za-z0-9_-]+)$/;
const PROTOCOL = 'kith-attach';
const KEEP_ALIVE_MS = 30_000;

/** Whether a request asks to become an attach; other upgrades are served as plain HTTP. */
export function isAttachUpgrade(message: IncomingMessage): boolean {
  return message.headers.upgrade?.toLowerCase() === PROTOCOL && PATH.test(message.url ?? '');
}

/** `GET /kith/attach/SECRET`: after the 101, the bytes of the attach stream go both ways as they are. */
export function attachByUpgrade(
  sessions: AttachSessions,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const session = sessions.take(PATH.exec(message.url ?? '')?.[1] ?? '');
  if (session === null) {
    refuse(socket, attachNotFound());
    return;
  }
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  keepAlive(socket);
  join(socket, session);
}

export function attachNotFound(): PlatformError {
  return new PlatformError('not_found', 'Cannot attach: nothing waits under this secret', {
    hint: 'A secret is good for one attach within a minute: run the command again',
  });
}

/** Notices a client that is gone without a word, whose silence may else be that of a thinker. */
export function keepAlive(socket: Duplex): void {
  if (socket instanceof Socket) socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

/**
 * Pipes a client and a process into each other. The end of input is a frame, so a client whose bytes end has left, and
 * the process is told by the destruction of its stream, once it has taken what was sent.
 */
function join(client: Duplex, { stream, ended }: AttachSession): void {
  client.on('error', () => client.destroy());
  client.once('end', () => stream.end(() => stream.destroy()));
  client.once('close', () => stream.destroy());
  stream.on('error', () => client.destroy());
  stream.once('close', () => client.end());
  client.pipe(stream, { end: false });
  stream.pipe(client);
  onAbort(ended, stream, (error) => {
    stream.unpipe(client);
    client.write(encodeFrame(FRAME.error, error.toRecord()));
  });
}

/** Ends an attach that its client may not have any more: says why, and hangs up on the process. */
export function onAbort(ended: AbortSignal, stream: Duplex, tell: (error: PlatformError) => void): void {
  const end = (): void => {
    tell(reasonOf(ended));
    stream.destroy();
  };
  if (ended.aborted) end();
  else ended.addEventListener('abort', end, { once: true });
  stream.once('close', () => ended.removeEventListener('abort', end));
}

function refuse(socket: Duplex, error: PlatformError): void {
  const body = JSON.stringify(errorResource(error));
  socket.on('error', () => {});
  const text =
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nConnection: close\r\n` +
    `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  socket.end(text, () => socket.destroy());
}
