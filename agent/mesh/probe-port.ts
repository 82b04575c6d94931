import { connect } from 'node:net';
import type { PortState } from '../../src/membership/types.ts';

/**
 * Whether something listens there. Only a refusal proves that nothing does; whatever else goes wrong (no route, no
 * answer, a bad name) proves nothing and counts as a timeout.
 */
export function probePort(host: string, port: number, timeoutMs: number): Promise<PortState> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => finish('timeout'), timeoutMs);
    const finish = (state: PortState): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(state);
    };
    socket.once('connect', () => finish('open'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      finish(error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET' ? 'refused' : 'timeout');
    });
  });
}
