import { connect, type Socket } from 'node:net';
import type { Failure } from './failures.ts';

/** Connects to a dyno of this peer. Calls back once; the function it returns gives up without a call. */
export function connectDyno(
  address: { readonly host: string; readonly port: number },
  withinMs: number,
  done: (result: Socket | Failure) => void,
): () => void {
  const socket = connect({ ...address, noDelay: true, allowHalfOpen: true });
  const timer = setTimeout(() => settle('timeout'), withinMs);
  let isSettled = false;
  const settle = (result: Failure | null): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    if (result === null) {
      socket.removeAllListeners('connect');
      socket.removeAllListeners('error');
      done(socket);
    } else {
      socket.destroy();
      done(result);
    }
  };
  socket.once('connect', () => settle(null));
  // Stays until settled, and a late error of a destroyed socket has nobody to tell.
  socket.on('error', (error: NodeJS.ErrnoException) =>
    settle(error.code === 'ETIMEDOUT' ? 'timeout' : 'refused'),
  );
  return () => {
    isSettled = true;
    clearTimeout(timer);
    socket.destroy();
  };
}
