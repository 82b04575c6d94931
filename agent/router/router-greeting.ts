import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import { onJsonLines } from '../lib/json-lines.ts';
import type { RouterMessage } from './control.ts';

const HELLO_WITHIN_MS = 30_000;

type Hello = Extract<RouterMessage, { t: 'hello' }>;

export type Greeted = {
  readonly log: Logger;
  /** Everything after the greeting. */
  readonly onMessage: (message: Exclude<RouterMessage, { t: 'hello' | 'failed' }>) => void;
  /** The connection of a router that had greeted us is gone. */
  readonly onLost: () => void;
};

/**
 * Waits for the first record of a router, and passes on what follows.
 * @throws PlatformError `conflict` when a port is taken, `unavailable` when the process ends or says nothing
 */
export function routerGreeting(socket: Socket, { log, onMessage, onLost }: Greeted): Promise<Hello> {
  const timeout = AbortSignal.timeout(HELLO_WITHIN_MS);
  return new Promise((resolve, reject) => {
    let isGreeted = false;
    const lost = (): void =>
      reject(new PlatformError('unavailable', 'The router process ended before it was ready'));
    timeout.addEventListener('abort', () => {
      if (!isGreeted) socket.destroy();
    });
    socket.on('error', (err) => log.debug({ err }, 'router connection broke'));
    socket.once('close', () => {
      if (isGreeted) onLost();
      else lost();
    });
    onJsonLines(socket, (value) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own router
      const message = value as RouterMessage;
      if (message.t === 'hello') {
        isGreeted = true;
        resolve(message);
      } else if (message.t === 'failed') {
        reject(new PlatformError('conflict', message.message, { hint: message.hint }));
        socket.destroy();
      } else onMessage(message);
    });
  });
}
