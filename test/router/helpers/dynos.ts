import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, createServer as createNetServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** A dyno: a real server on a port of its own. */
export type TestDyno = AsyncDisposable & { readonly port: number; readonly sockets: ReadonlySet<Socket> };

export async function httpDyno(
  listener: RequestListener,
  { onUpgrade }: { onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void } = {},
): Promise<TestDyno> {
  const server = createHttpServer(listener);
  if (onUpgrade !== undefined) server.on('upgrade', onUpgrade);
  return await open(server);
}

/** For what no HTTP library would say. */
export async function rawDyno(onConnection: (socket: Socket) => void): Promise<TestDyno> {
  return await open(createNetServer({ allowHalfOpen: true }, onConnection));
}

/** A port on which nothing listens, nor will while these tests run: it is that of a client. */
export async function deafPort(): Promise<number> {
  const server = createNetServer((socket) => socket.unref())
    .listen(0, '127.0.0.1')
    .unref();
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1').unref();
  await once(client, 'connect');
  return client.localPort ?? 0;
}

async function open(server: Server): Promise<TestDyno> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    sockets,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      await new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}
