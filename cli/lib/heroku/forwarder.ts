import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { CliError } from '../line/cli-error.ts';

/** A person, a browser and a push or two; more is a program gone wild. */
const CONNECTIONS_MAX = 256;
const CONNECT_WITHIN_MS = 10_000;
// Below the ports that systems give to outgoing connections.
const PORT_FIRST = 20_000;
const PORTS = 10_000;

/**
 * A port of loopback whose connections go to another machine's port, byte for byte: HTTP, TLS and whatever runs in it
 * pass untouched, so that the two ends verify each other as if nobody stood between.
 */
export class Forwarder implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #open: Set<Socket>;

  private constructor(server: Server, open: Set<Socket>) {
    this.#server = server;
    this.#open = open;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @param port 0 takes any that is free. Throws CliError where the port is another's. */
  static async open(
    target: { readonly host: string; readonly port: number },
    port: number,
  ): Promise<Forwarder> {
    const open = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ ...target, allowHalfOpen: true, timeout: CONNECT_WITHIN_MS });
      far.once('timeout', () => far.destroy());
      far.once('connect', () => far.setTimeout(0));
      join(near, far);
      join(far, near);
      for (const socket of [near, far]) {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
      }
    });
    server.maxConnections = CONNECTIONS_MAX;
    server.listen({ host: '127.0.0.1', port });
    try {
      await once(server, 'listening');
    } catch (cause) {
      throw new CliError(`Cannot forward from 127.0.0.1:${port}: another program listens there`, { cause });
    }
    return new Forwarder(server, open);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }
}

/** Where a peer is forwarded from by choice: the same each time, for git remotes name the port and outlive a forwarder. */
export function forwardPort(target: { readonly host: string; readonly port: number }): number {
  const digest = createHash('sha256').update(`${target.host}:${target.port}`).digest();
  return PORT_FIRST + (digest.readUInt32BE(0) % PORTS);
}

/** What comes from one goes to the other; an end is passed on, a failure ends both. */
function join(from: Socket, to: Socket): void {
  from.setNoDelay();
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', (failed) => {
    if (failed || !from.readableEnded) to.destroy();
  });
}
