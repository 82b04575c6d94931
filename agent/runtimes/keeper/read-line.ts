import type { Socket } from 'node:net';

/** Takes the first line off a socket and leaves what follows for others to read. */
export function readLine(socket: Socket, bytesMax: number, withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0);
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('end', onEnd).off('error', settle);
      if (error !== null) reject(error);
    };
    const onReadable = (): void => {
      for (let data = socket.read() as Buffer | null; data !== null; data = socket.read() as Buffer | null) {
        read = Buffer.concat([read, data]);
        const end = read.indexOf(10);
        if (end !== -1) {
          settle(null);
          if (end + 1 < read.length) socket.unshift(read.subarray(end + 1));
          resolve(read.toString('utf8', 0, end));
          return;
        }
        if (read.length > bytesMax) settle(new Error(`Expected a line, found more than ${bytesMax} bytes`));
      }
    };
    const onEnd = (): void => settle(new Error('Expected a line, found the end'));
    const timer = setTimeout(() => settle(new Error(`Expected a line within ${withinMs} ms`)), withinMs);
    socket.on('readable', onReadable).on('end', onEnd).on('error', settle);
  });
}
