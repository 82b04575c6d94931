import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that the kernel gives to whoever asks for any port: such a one could be taken again before it is used. */
const PORTS = { first: 20_000, end: 30_000 } as const;
const TRIES_MAX = 100;
const given = new Set<number>();

/** A port of loopback that nobody has, and that nobody is going to come by who does not name it. */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const port = randomInt(PORTS.first, PORTS.end);
    if (!given.has(port) && (await isFree(port))) {
      given.add(port);
      return port;
    }
    if (tries === TRIES_MAX) throw new Error(`No port of ${PORTS.first} to ${PORTS.end} is free`);
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
