import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { expect, test } from 'vitest';
import { PeerTls } from '../../agent/router/peer-tls.ts';
import type { DynoId, PeerId } from '../../src/ids.ts';
import { writePortRequest } from '../../src/routing/port-request.ts';
import { eventually } from '../helpers/eventually.ts';
import { send } from './helpers/client.ts';
import { deafPort, httpDyno, rawDyno, type TestDyno } from './helpers/dynos.ts';
import {
  dial,
  endOf,
  farTarget,
  linkPort,
  listenAt,
  NUMBER,
  openPort,
  ownHost,
  portTable,
  routePort,
  WHERE,
} from './helpers/ports.ts';
import { routerPid, rssMiB } from './helpers/router-pid.ts';
import { HOST, routeApp, startRouter, tableOf, target, type TestRouter } from './helpers/test-router.ts';

/** Greets, then says back what it hears. */
const echo = (greeting = 'hi'): Promise<TestDyno> =>
  rawDyno((socket) => {
    socket.write(greeting);
    socket.pipe(socket);
  });

/** @throws when the connection ends without a word */
async function greeted(host: string): Promise<{ socket: Socket; greeting: string }> {
  const socket = await dial(host);
  const ended = new AbortController();
  if (socket.destroyed) ended.abort();
  else socket.once('close', () => ended.abort());
  const [data] = (await once(socket, 'data', { signal: ended.signal })) as [Buffer];
  return { socket, greeting: data.toString() };
}

test.each(WHERE)('when a %s dyno breaks off, so does the connection', async (where) => {
  await using dyno = await echo();
  await using parts = new AsyncDisposableStack();
  const host = await openPort(parts, where, dyno);
  const { socket } = await greeted(host);
  const end = endOf(socket);
  for (const each of dyno.sockets) each.resetAndDestroy();
  await end;
  await eventually(() => dyno.sockets.size === 0);
});

test.each(WHERE)('when the client breaks off, so does the connection to a %s dyno', async (where) => {
  await using dyno = await echo();
  await using parts = new AsyncDisposableStack();
  const host = await openPort(parts, where, dyno);
  const { socket } = await greeted(host);
  expect(dyno.sockets.size).toBe(1);
  socket.resetAndDestroy();
  await eventually(() => dyno.sockets.size === 0);
});

test('when the far router is killed its connections end, and the next one goes to another dyno', async () => {
  await using away = await echo('far');
  await using here = await echo('near');
  await using near = await startRouter({ connectMs: 500 });
  await using far = await startRouter();
  const host = await linkPort(near, far, away);
  const { socket, greeting } = await greeted(host);
  expect(greeting).toBe('far');
  const end = endOf(socket);
  process.kill(routerPid(far.dir), 'SIGKILL');
  await end;
  const both = routePort([farTarget(far, away), target({ port: here.port })]);
  await near.handle.setTable(portTable(host, both, { self: near.peer, members: [near.peer, far.peer] }));
  for (let i = 0; i < 5; i += 1) {
    const next = await greeted(host);
    expect(['near', 'far']).toContain(next.greeting); // The far router is started again meanwhile, and has its table.
    next.socket.destroy();
  }
});

test('dynos that refuse, are not there, or are at a peer that is no member, are passed over', async () => {
  await using dyno = await echo('this');
  await using near = await startRouter();
  await using far = await startRouter();
  await using stranger = await startRouter();
  const host = ownHost();
  const members = [near.peer, far.peer];
  await far.handle.setTable(portTable(ownHost(), routePort([]), { self: far.peer, members }));
  const up = [
    target({ port: await deafPort() }),
    farTarget(far, dyno, { dyno: 'dyno-gone' as DynoId }),
    farTarget(far, dyno, { dyno: 'dyno-of-a-stranger' as DynoId, peer: stranger.peer }),
    farTarget(far, dyno, {
      dyno: 'dyno-nowhere' as DynoId,
      peer: 'nobody' as PeerId,
      port: await deafPort(),
    }),
    target({ port: dyno.port }),
  ];
  await listenAt(near, portTable(host, routePort(up), { self: near.peer, members }));
  for (let i = 0; i < 20; i += 1) {
    const { socket, greeting } = await greeted(host);
    expect(greeting).toBe('this');
    socket.destroy();
  }
  await eventually(() => near.suspects.length > 0);
});

/** `far` serves the dyno over HTTP; to `near` it is behind the port too. Returns where, and how `far` comes to know. */
async function openToNearAlone(near: TestRouter, far: TestRouter, dyno: TestDyno) {
  const members = [near.peer, far.peer];
  const host = ownHost();
  const [here, away] = [target({ port: dyno.port }), farTarget(far, dyno)];
  const serving = { self: far.peer, members, internalHost: ownHost() };
  await far.handle.setTable(tableOf(routeApp([here]), serving));
  const ports = { [NUMBER]: routePort([away]) };
  await listenAt(near, tableOf(routeApp([away]), { self: near.peer, members, internalHost: host, ports }));
  const open = { ...serving, ports: { [NUMBER]: routePort([here]) } };
  return { host, tellFar: () => far.handle.setTable(tableOf(routeApp([here]), open)) };
}

test('a dyno that the far router does not give to a port serves over HTTP all the same', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using near = await startRouter({ ejectMs: 600_000, holdMs: 20_000, portHoldMs: 200 });
  await using far = await startRouter();
  const { host } = await openToNearAlone(near, far, dyno);
  expect(await endOf(await dial(host))).toBe('broken');
  await eventually(() => near.lines.includes(`at=error desc="Dynos not reached" port=${NUMBER}`));
  expect(await send(near.handle.httpPort)).toMatchObject({ status: 200, body: 'here' });
});

test('a far router that hears late that a port is open is asked again', async () => {
  await using dyno = await echo();
  await using near = await startRouter({ ejectMs: 200, attemptsMax: 1_000 });
  await using far = await startRouter();
  const { host, tellFar } = await openToNearAlone(near, far, dyno);
  const early = await dial(host);
  await tellFar();
  expect(String(await once(early, 'data'))).toBe('hi');
  early.destroy();
});

test('a flood on one port is bounded, said in the log, and harms nobody else', async () => {
  await using dyno = await echo();
  await using router = await startRouter({ connectionsPerPortMax: 10 });
  const host = ownHost();
  const port = routePort([target({ port: dyno.port })]);
  const other = NUMBER + 1;
  await listenAt(router, portTable(host, port, { ports: { [NUMBER]: port, [other]: port } }));
  const pid = routerPid(router.dir);
  const fds = (): number => readdirSync(`/proc/${pid}/fd`).length;
  const before = fds();
  const sockets = await Promise.all(Array.from({ length: 100 }, () => dial(host)));
  for (const socket of sockets) socket.resume();
  await eventually(() => sockets.filter((socket) => socket.readableEnded || socket.closed).length === 90);
  await eventually(() => dyno.sockets.size === 10);
  expect(router.lines.length).toBeLessThan(10);
  await eventually(() => router.lines.includes(`at=error desc="Too many connections" port=${NUMBER}`));
  const free = await dial(host, other);
  expect(String(await once(free, 'data'))).toBe('hi');
  for (const socket of [...sockets, free]) socket.destroy();
  await eventually(() => fds() <= before);
  (await greeted(host)).socket.destroy();
});

test('connections to all ports together are bounded', async () => {
  await using dyno = await echo();
  await using router = await startRouter({ portConnectionsMax: 3 });
  const host = ownHost();
  const port = routePort([target({ port: dyno.port })]);
  await listenAt(router, portTable(host, port, { ports: { [NUMBER]: port, [NUMBER + 1]: port } }));
  const kept = [await greeted(host), await greeted(host), await greeted(host)];
  expect(await endOf(await dial(host, NUMBER + 1))).toBe('broken');
  kept[0]?.socket.destroy();
  const next = await eventually(() => greeted(host));
  for (const { socket } of [...kept, next]) socket.destroy();
});

test('so many connections wait for a dyno, and no more', async () => {
  await using dyno = await echo();
  await using router = await startRouter({ heldPerPortMax: 5 });
  const host = ownHost();
  await listenAt(router, portTable(host, routePort([], { starting: true })));
  const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(host)));
  let served = 0;
  for (const socket of sockets) socket.once('data', () => (served += 1));
  await eventually(() => sockets.filter(({ closed }) => closed).length === 15);
  await router.handle.setTable(portTable(host, routePort([target({ port: dyno.port })])));
  await eventually(() => served === 5);
  for (const socket of sockets) socket.destroy();
});

test('a client that does not read stops the dyno, not the router', async () => {
  let written = 0;
  await using dyno = await rawDyno((socket) => {
    const block = Buffer.alloc(1024 * 1024);
    const more = (): void => {
      while (!socket.destroyed && written < 400 && socket.write(block)) written += 1;
    };
    socket.on('drain', () => ((written += 1), more()));
    more();
  });
  await using near = await startRouter();
  await using far = await startRouter();
  const host = await linkPort(near, far, dyno);
  const rss = (): number => Math.max(...[near, far].map(({ dir }) => rssMiB(routerPid(dir))));
  const before = rss();
  const socket = await dial(host);
  socket.pause();
  let last = -1;
  await eventually(() => (last === written && written > 0) || ((last = written), false), { everyMs: 300 });
  expect(written).toBeLessThan(100);
  expect(rss() - before).toBeLessThan(40);
  socket.destroy();
});

test('a drained dyno gets no new connection; those it has do not hold the drain up', async () => {
  await using old = await echo('old');
  await using young = await echo('young');
  await using router = await startRouter();
  const host = ownHost();
  const both = [target({ port: old.port }), target({ port: young.port })];
  await listenAt(router, portTable(host, routePort([target({ port: old.port })])));
  const { socket } = await greeted(host);
  await router.handle.setTable(portTable(host, routePort(both)));
  await router.handle.drained(`dyno-${old.port}` as DynoId, AbortSignal.timeout(60_000));
  for (let i = 0; i < 10; i += 1) {
    const next = await greeted(host);
    expect(next.greeting).toBe('young');
    next.socket.destroy();
  }
  socket.write('still');
  expect(String(await once(socket, 'data'))).toBe('still');
  socket.destroy();
});

/** What a router says to one with this peer's key that sends `head`; then the connection is closed. */
async function askRouter(asker: TestRouter, asked: TestRouter, head: string): Promise<string> {
  const tls = new PeerTls(asker.dir).clientOptions();
  const socket = tlsConnect({ ...tls, host: '127.0.0.1', port: asked.handle.proxyPort });
  let said = '';
  socket.on('data', (data: Buffer) => {
    said += data.toString();
    if (said.includes('\r\n\r\n')) socket.end();
  });
  socket.on('error', () => {});
  socket.write(head);
  if (!socket.closed) await once(socket, 'close').catch(() => {});
  return said;
}

test('a far router connects only to what is up behind the very port: not to a web dyno, for strangers to nothing', async () => {
  await using database = await echo();
  await using web = await echo();
  await using near = await startRouter();
  await using far = await startRouter();
  await using stranger = await startRouter();
  const webDyno = target({ port: web.port });
  const database1 = target({ port: database.port });
  const table = portTable(ownHost(), routePort([database1]), {
    self: far.peer,
    members: [near.peer, far.peer],
  });
  const localDynos = { ...table.localDynos, [webDyno.dyno]: { host: webDyno.host, port: webDyno.port } };
  await far.handle.setTable({ ...table, ...tableOf(routeApp([webDyno])), ...pick(table), localDynos });
  const toDatabase = writePortRequest({ number: NUMBER, dyno: database1.dyno });
  expect(await askRouter(near, far, toDatabase)).toContain('101 Switching Protocols');
  for (const [number, dyno] of [
    [NUMBER, webDyno.dyno],
    [NUMBER + 1, database1.dyno],
    [NaN, database1.dyno],
    [NUMBER, '__proto__'],
  ] as [number, DynoId][]) {
    expect(await askRouter(near, far, writePortRequest({ number, dyno }))).toContain(
      'kith-error: no-such-dyno',
    );
  }
  expect(await askRouter(stranger, far, toDatabase)).toBe('');
  expect(web.sockets.size).toBe(0);
});

const pick = ({ self, members, internalHost, ports }: ReturnType<typeof tableOf>) => ({
  self,
  members,
  internalHost,
  ports,
});

test('a peer that is removed loses the connections that it has', async () => {
  await using dyno = await echo();
  await using near = await startRouter();
  await using far = await startRouter();
  const host = await linkPort(near, far, dyno);
  const { socket } = await greeted(host);
  const end = endOf(socket);
  const here = routePort([target({ port: dyno.port })]);
  await far.handle.setTable(portTable(ownHost(), here, { self: far.peer, members: [far.peer] }));
  await end;
  await eventually(() => dyno.sockets.size === 0);
});

test('no request over HTTP reaches a port: what a client says of one is dropped', async () => {
  await using database = await echo('SECRET');
  await using near = await startRouter();
  await using far = await startRouter();
  let received = '';
  await using web = await rawDyno((socket) =>
    socket.on('data', (data) => {
      received += data.toString();
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }),
  );
  const members = [near.peer, far.peer];
  const behind = target({ port: database.port });
  const served = target({ port: web.port });
  const localDynos = Object.fromEntries(
    [behind, served].map(({ dyno, host, port }) => [dyno, { host, port }]),
  );
  const ports = { [NUMBER]: routePort([behind]) };
  await far.handle.setTable(
    tableOf(routeApp([served]), { self: far.peer, members, localDynos, ports, internalHost: ownHost() }),
  );
  await near.handle.setTable(tableOf(routeApp([farTarget(far, web)]), { self: near.peer, members }));
  const socket = connect({ host: '127.0.0.1', port: near.handle.httpPort });
  let said = '';
  socket.on('data', (data) => (said += data.toString()));
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: kith-tcp\r\n` +
      `kith-dyno: ${behind.dyno}\r\nkith-port: ${NUMBER}\r\nkith_port: ${NUMBER}\r\n\r\n`,
  );
  await eventually(() => said.includes('200 OK'));
  expect(said).not.toContain('SECRET');
  expect(received).not.toMatch(/^kith/m);
  socket.destroy();
});
