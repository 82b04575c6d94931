import type { Duplex } from 'node:stream';
import { encodeFrame, decodeFrames, FRAME, FRAME_BYTES_MAX } from '../../src/platform/attach-frames.ts';
import type { AttachSessions, AttachSession } from './attach-sessions.ts';
import { keepAlive, onAbort } from './attach-upgrade.ts';

const SECRET_LINE_BYTES_MAX = 512;
const SECRET_WITHIN_MS = 15_000;
// The official client finds the exit status only where one chunk holds all of its line: writes close together become one.
const COALESCE_MS = 4;
const END_OF_TRANSMISSION = 0x04;
// Its ^D follows the banner at once where its input is empty; a command may be over sooner than that.
const INPUT_END_MS = 1_000;

/**
 * The official CLI's side of `run`: over TLS it sends the secret and a line end, drops the first chunk of the answer
 * (our banner), and from then on both ways are raw bytes, so that frames are made and taken apart here.
 */
export function serveRendezvous(sessions: AttachSessions, socket: Duplex): void {
  let line = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), SECRET_WITHIN_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  const onData = (chunk: Buffer): void => {
    line = Buffer.concat([line, chunk]);
    const end = line.indexOf('\r\n');
    if (end === -1 && line.length < SECRET_LINE_BYTES_MAX) return;
    clearTimeout(timer);
    socket.off('data', onData);
    socket.pause();
    const secret = line.subarray(0, Math.max(end, 0)).toString('latin1').replace(/\?.*$/, '');
    const session = sessions.take(secret);
    if (session === null) {
      socket.destroy();
      return;
    }
    const rest = line.subarray(end + 2);
    if (rest.length > 0) socket.unshift(rest);
    keepAlive(socket);
    socket.write('rendezvous\r\n', () => translate(socket, session));
  };
  socket.on('data', onData);
  socket.resume();
}

/** Raw bytes on `socket`, frames on the session's stream. */
function translate(socket: Duplex, { stream, hasTty, endsInput, ended }: AttachSession): void {
  const bannerAt = performance.now();
  let isOver = false;
  let hasInput = endsInput;
  const end = (): void => {
    isOver = true;
    const ms = hasInput ? bannerAt + INPUT_END_MS - performance.now() : 0;
    if (ms <= 0) socket.end();
    else setTimeout(() => socket.end(), ms);
  };
  stream.once('close', end);
  stream.on('error', () => socket.destroy());
  socket.once('close', () => stream.destroy());
  socket.on('drain', () => stream.resume());
  stream.on('drain', () => socket.resume());
  decodeFrames(stream, (frame) => {
    if (frame.type === FRAME.data) writeSoon(socket, frame.payload, () => stream.pause());
    if (frame.type === FRAME.exit || frame.type === FRAME.error) end();
  });
  socket.on('data', (chunk: Buffer) => {
    hasInput &&= chunk.at(-1) !== END_OF_TRANSMISSION;
    if (isOver) {
      if (!hasInput) socket.end();
      return;
    }
    // Without a terminal there is no line discipline: the lone ^D that the client sends at its stdin's end closes ours.
    const isEnd = !hasTty && chunk.length === 1 && chunk[0] === END_OF_TRANSMISSION;
    if (isEnd) stream.write(encodeFrame(FRAME.eof));
    else if (!writeFrames(stream, chunk)) socket.pause();
  });
  socket.once('end', () => stream.end(() => stream.destroy()));
  onAbort(ended, stream, (error) => socket.write(`\r\n !    ${error.message}\r\n`));
  socket.resume();
}

function writeFrames(stream: Duplex, chunk: Buffer): boolean {
  let hasRoom = true;
  for (let at = 0; at < chunk.length; at += FRAME_BYTES_MAX) {
    hasRoom = stream.write(encodeFrame(FRAME.data, chunk.subarray(at, at + FRAME_BYTES_MAX)));
  }
  return hasRoom;
}

function writeSoon(socket: Duplex, payload: Buffer, onFull: () => void): void {
  if (socket.writableEnded) return;
  if (socket.writableCorked === 0) {
    socket.cork();
    setTimeout(() => socket.uncork(), COALESCE_MS);
  }
  if (!socket.write(payload)) onFull();
}
