import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { Forwarder, forwardPort } from '../../cli/lib/heroku/forwarder.ts';

/** A server on loopback, with what it does with each connection. */
async function listen(onSocket: (socket: Socket) => void): Promise<Server & AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }, onSocket).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Resolves when it is closed, though with an error, as a reset is. */
function closeOf(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

test('bytes pass both ways untouched, and an end on one side is an end there alone', async () => {
  await using server = await listen((socket) => socket.pipe(socket));
  await using forwarder = await Forwarder.open({ host: '127.0.0.1', port: portOf(server) }, 0);
  const sent = Buffer.from(Array.from({ length: 1 << 20 }, (_, index) => index & 0xff));
  const socket = connect({ port: forwarder.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(sent);
  expect((await buffer(socket)).equals(sent)).toBe(true);
});

test('a server that cuts a connection, or is not there, cuts it for the client too', async () => {
  await using server = await listen((socket) => socket.resetAndDestroy());
  for (const port of [portOf(server), 1]) {
    await using forwarder = await Forwarder.open({ host: '127.0.0.1', port }, 0);
    const socket = connect(forwarder.port, '127.0.0.1');
    const closed = closeOf(socket);
    socket.write('hello');
    await closed;
  }
});

test('whoever ends it ends its connections', async () => {
  await using server = await listen((socket) => {
    socket.write('hi');
    socket.resume().on('error', () => undefined);
    socket.on('end', () => socket.end());
  });
  const forwarder = await Forwarder.open({ host: '127.0.0.1', port: portOf(server) }, 0);
  const socket = connect(forwarder.port, '127.0.0.1');
  await once(socket, 'data');
  const closed = closeOf(socket);
  await forwarder[Symbol.asyncDispose]();
  await closed;
  await expect(once(connect(forwarder.port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('a port that is taken is named', async () => {
  await using server = await listen((socket) => socket.end());
  const target = { host: '127.0.0.1', port: 1 };
  await expect(Forwarder.open(target, portOf(server))).rejects.toThrow(
    `Cannot forward from 127.0.0.1:${portOf(server)}: another program listens there`,
  );
});

test('a peer is forwarded from the same port each time', () => {
  const target = { host: '10.0.0.2', port: 5001 };
  expect(forwardPort(target)).toBe(forwardPort({ ...target }));
  expect(forwardPort(target)).not.toBe(forwardPort({ ...target, host: '10.0.0.3' }));
  expect(forwardPort(target)).toBeGreaterThanOrEqual(20_000);
  expect(forwardPort(target)).toBeLessThan(30_000);
});
