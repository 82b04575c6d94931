import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

type Options = {
  /** So many bytes went this way. */
  readonly onBytes?: (bytes: number, from: Socket) => void;
  /** Called once; both sockets are closed by then. */
  readonly onEnd: () => void;
};

/**
 * Joins two connections: bytes both ways, no faster than either side reads. The end of one direction is passed on and
 * leaves the other direction open; a connection that breaks breaks the other one.
 */
export function splice(left: Socket, right: Socket, { onBytes, onEnd }: Options): void {
  let open = 2;
  const pass = (from: Socket, to: Socket): void => {
    // Whatever the socket was made for: whoever has said all may still listen.
    from.allowHalfOpen = true;
    from.on('data', (chunk: Buffer) => {
      onBytes?.(chunk.length, from);
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    // `error` is always followed by `close`.
    from.on('error', () => {});
    from.on('close', () => {
      if (!from.readableEnded || !from.writableFinished) cut(to);
      open -= 1;
      if (open === 0) onEnd();
    });
  };
  pass(left, right);
  pass(right, left);
  left.resume();
  right.resume();
}

/** Closes a connection so that the other side sees that this was no proper end, as far as its protocol has a way. */
export function cut(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
