import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { httpDyno, rawDyno } from './helpers/dynos.ts';
import {
  ask,
  dial,
  endOf,
  linkPort,
  listenAt,
  openPort,
  NUMBER,
  ownHost,
  portTable,
  routePort,
  WHERE,
} from './helpers/ports.ts';
import { startRouter, tableOf, target, routeApp } from './helpers/test-router.ts';
import { send } from './helpers/client.ts';

/** Says what it got once the client has said all. */
const echoAtEnd = () =>
  rawDyno(
    (socket) => void buffer(socket).then((all) => socket.end(Buffer.concat([Buffer.from('got '), all]))),
  );

const MIB = 1024 * 1024;

/** As a program that shares the port with nobody. */
async function listenOn(host: string): Promise<Server> {
  const server = createServer();
  server.listen(NUMBER, host);
  await once(server, 'listening');
  return server;
}

/** Writes the block so many times, as fast as the other side reads, and ends. */
async function pump(socket: Socket, block: Buffer, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) if (!socket.write(block)) await once(socket, 'drain');
  socket.end();
}

/** Reads to the end with a rest after each `restEvery` bytes. @returns a digest of it all */
async function drink(socket: Socket, restEvery: number): Promise<string> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (Math.floor(count / restEvery) < Math.floor((count + chunk.length) / restEvery)) await sleep(5);
    count += chunk.length;
  }
  return hash.digest('hex');
}

test('whoever connects to an open port is connected to its dyno', async () => {
  await using dyno = await echoAtEnd();
  await using router = await startRouter();
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([target({ port: dyno.port })])));
  expect(await ask(host, 'hello')).toBe('got hello');
});

test('the dyno of another peer is reached through that peer', async () => {
  await using dyno = await echoAtEnd();
  await using near = await startRouter();
  await using far = await startRouter();
  const host = await linkPort(near, far, dyno);
  expect(await ask(host, 'hello')).toBe('got hello');
  expect(await ask(host, 'again')).toBe('got again');
});

test.each(WHERE)('a %s dyno that speaks first, and ends first, still hears the client out', async (where) => {
  const heard: Buffer[] = [];
  await using dyno = await rawDyno((socket) => {
    socket.end('welcome');
    socket.on('data', (data) => heard.push(data));
  });
  await using parts = new AsyncDisposableStack();
  const host = await openPort(parts, where, dyno);
  const socket = await dial(host);
  expect((await buffer(socket)).toString()).toBe('welcome');
  const late = randomBytes(MIB);
  socket.end(late);
  await once(socket, 'close');
  await eventually(() => Buffer.concat(heard).equals(late));
});

test.each(WHERE)('50 MiB go each way at once through a %s dyno, past a slow reader', async (where) => {
  const block = randomBytes(MIB);
  const expected = createHash('sha256')
    .update(Buffer.concat(Array<Buffer>(50).fill(block)))
    .digest('hex');
  const atDyno = Promise.withResolvers<string>();
  await using dyno = await rawDyno((socket) => {
    drink(socket, 20 * MIB).then(atDyno.resolve, atDyno.reject);
    pump(socket, block, 50).catch(atDyno.reject);
  });
  await using parts = new AsyncDisposableStack();
  const host = await openPort(parts, where, dyno);
  const socket = await dial(host);
  const [atClient] = await Promise.all([drink(socket, MIB), pump(socket, block, 50)]);
  expect(atClient).toBe(expected);
  expect(await atDyno.promise).toBe(expected);
});

test('connections are spread over the dynos, to those with fewer', async () => {
  const dynos = await Promise.all([1, 2, 3].map(() => rawDyno((socket) => socket.write('.'))));
  await using router = await startRouter();
  const host = ownHost();
  await listenAt(router, portTable(host, routePort(dynos.map(({ port }) => target({ port })))));
  const sockets = [];
  for (let i = 0; i < 30; i += 1) {
    const socket = await dial(host);
    await once(socket, 'data');
    sockets.push(socket);
  }
  for (const { sockets: each } of dynos) expect(each.size).toBeGreaterThan(5);
  for (const socket of sockets) socket.destroy();
  for (const dyno of dynos) await dyno[Symbol.asyncDispose]();
});

test('a connection waits for a dyno that is starting', async () => {
  await using dyno = await echoAtEnd();
  await using router = await startRouter();
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([], { starting: true })));
  const answer = ask(host, 'hello');
  await router.handle.setTable(portTable(host, routePort([target({ port: dyno.port })])));
  expect(await answer).toBe('got hello');
});

test('a connection that waited for long enough is closed, and the app log says why', async () => {
  await using router = await startRouter({ portHoldMs: 200 });
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([], { starting: true })));
  expect(await endOf(await dial(host))).toBe('broken');
  await eventually(() => router.lines.includes(`at=error desc="No dyno up in time" port=${NUMBER}`));
});

test('without a dyno that is wanted nobody waits', async () => {
  await using router = await startRouter();
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([], { wanted: 0 })));
  expect(await endOf(await dial(host))).toBe('broken');
  await eventually(() => router.lines.includes(`at=error desc="No dynos running" port=${NUMBER}`));
});

async function echoes(socket: Socket, word: string): Promise<void> {
  socket.write(word);
  expect(String(await once(socket, 'data'))).toBe(word);
}

test('a closed port is listened on no more; what is connected stays', async () => {
  await using dyno = await rawDyno((socket) => void socket.pipe(socket));
  await using router = await startRouter();
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([target({ port: dyno.port })])));
  const socket = await dial(host);
  await echoes(socket, 'one');
  await router.handle.setTable(tableOf(routeApp([]), { internalHost: host, ports: {} }));
  await eventually(
    async () =>
      await dial(host).then(
        () => false,
        () => true,
      ),
  );
  await echoes(socket, 'two');
  socket.destroy();
});

test('a number that cannot be listened on is reported, and tried again', async () => {
  const host = ownHost();
  const other = await listenOn(host);
  await using router = await startRouter({ portRetryMs: 50 });
  const reports: string[] = [];
  router.handle.onPorts((report) => reports.push(JSON.stringify(report)));
  await router.handle.setTable(portTable(host, routePort([])));
  const reason = 'another program uses this port';
  await eventually(
    () => reports.at(-1) === JSON.stringify({ listening: [], failed: [{ number: NUMBER, reason }] }),
  );
  other.close();
  await eventually(() => reports.at(-1) === JSON.stringify({ listening: [NUMBER], failed: [] }));
});

test('a table without ports, as an older agent sends it, closes them', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter();
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([])));
  const { internalHost: _host, ports: _ports, ...old } = tableOf(routeApp([target({ port: dyno.port })]));
  await router.handle.setTable(old as ReturnType<typeof tableOf>);
  await eventually(
    async () =>
      await dial(host).then(
        () => false,
        () => true,
      ),
  );
  expect((await send(router.handle.httpPort)).body).toBe('here');
});

test('an agent that comes back is told on which ports the router listens', async () => {
  await using router = await startRouter();
  await listenAt(router, portTable(ownHost(), routePort([])));
  await router.handle[Symbol.asyncDispose]();
  const next = await router.reopen();
  const reports: unknown[] = [];
  next.onPorts((report) => reports.push(report));
  await eventually(() => reports.length > 0);
  expect(reports.at(-1)).toEqual({ listening: [NUMBER], failed: [] });
});

test('a router that shuts down gives its ports up at once, while a connection goes on', async () => {
  await using dyno = await rawDyno((socket) => void socket.pipe(socket));
  await using router = await startRouter();
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([target({ port: dyno.port })])));
  const socket = await dial(host);
  await echoes(socket, 'one');
  const ended = router.handle.shutdown(20_000);
  const next = await eventually(() => listenOn(host));
  await echoes(socket, 'two');
  socket.end();
  await ended;
  next.close();
});

test('nobody else can listen where a router of this peer alone does, whatever it asks the kernel for', async () => {
  await using router = await startRouter();
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([])));
  const thief = createServer();
  thief.listen({ host, port: NUMBER, reusePort: true });
  const [error] = (await once(thief, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('EADDRINUSE');
});
