import { createServer } from 'node:net';
import { PlatformError } from '../../../src/errors.ts';

/** Below Linux's ephemeral ports (32768 and up), from which outgoing connections take theirs. */
const PORT_FIRST = 20_000;
const PORTS = 12_000;
const TRIES_MAX = 200;

/**
 * Gives out ports in a circle from a random place: one that a dyno has left comes again only after 12,000 starts, so that
 * a late request for the old dyno meets nobody rather than somebody else.
 */
export class Ports {
  #next = Math.floor(Math.random() * PORTS);

  /** @param taken ports of dynos that may not have bound theirs yet */
  async take(taken: ReadonlySet<number>): Promise<number> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const port = PORT_FIRST + this.#next;
      this.#next = (this.#next + 1) % PORTS;
      if (!taken.has(port) && (await isFree(port))) return port;
    }
    throw new PlatformError(
      'no_capacity',
      `Cannot find a free port: tried ${TRIES_MAX} from ${PORT_FIRST} on`,
    );
  }
}

/** Free on every address of IPv6 and IPv4 alike; where the host has no IPv6, of IPv4. */
async function isFree(port: number): Promise<boolean> {
  const code = await bindFailure('::', port);
  if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') return code === null;
  return (await bindFailure('0.0.0.0', port)) === null;
}

function bindFailure(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen({ host, port }, () => server.close(() => resolve(null)));
  });
}
