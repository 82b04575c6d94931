import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { PeerTls } from '../../agent/router/peer-tls.ts';
import type { DynoId } from '../../src/ids.ts';
import type { RouteTarget } from '../../src/routing/table.ts';
import { eventually } from '../helpers/eventually.ts';
import { send } from './helpers/client.ts';
import { deafPort, httpDyno, rawDyno, type TestDyno } from './helpers/dynos.ts';
import { routerPid } from './helpers/router-pid.ts';
import { HOST, routeApp, startRouter, tableOf, target, type TestRouter } from './helpers/test-router.ts';

/** A dyno of `far`, as `near` knows it. */
function farTarget(far: TestRouter, dyno: TestDyno, fields: Partial<RouteTarget> = {}): RouteTarget {
  return target({
    dyno: `dyno-${dyno.port}` as DynoId,
    peer: far.peer,
    local: false,
    port: far.handle.proxyPort,
    ...fields,
  });
}

/** Lets `far` serve its dyno to `near`, and `near` know of these targets. */
async function link(
  near: TestRouter,
  far: TestRouter,
  dyno: TestDyno,
  up: readonly RouteTarget[],
): Promise<void> {
  const members = [near.peer, far.peer];
  await far.handle.setTable(tableOf(routeApp([target({ port: dyno.port })]), { self: far.peer, members }));
  await near.handle.setTable(tableOf(routeApp(up), { self: near.peer, members }));
}

test('a request travels through the peer that runs the dyno, on pooled connections, described once', async () => {
  await using dyno = await httpDyno((request, response) => response.end(JSON.stringify(request.headers)));
  await using near = await startRouter();
  await using far = await startRouter();
  await link(near, far, dyno, [farTarget(far, dyno)]);
  for (let i = 0; i < 5; i += 1) {
    const reply = await send(near.handle.httpPort, { headers: { 'x-forwarded-for': '9.9.9.9' } });
    expect(reply.headers['via']).toBe('1.1 kith');
    const seen = JSON.parse(reply.body) as Record<string, string>;
    expect(seen).toMatchObject({ host: HOST, via: '1.1 kith', 'x-forwarded-for': '9.9.9.9, 127.0.0.1' });
    expect(seen).not.toHaveProperty('kith-dyno');
  }
  expect(await eventually(() => near.lines[4])).toContain('status=200');
  expect(far.lines).toEqual([]);
});

test('a large body and its echo pass between peers', async () => {
  await using dyno = await httpDyno((request, response) => void request.pipe(response));
  await using near = await startRouter();
  await using far = await startRouter();
  await link(near, far, dyno, [farTarget(far, dyno)]);
  const body = randomBytes(5 * 1024 * 1024).toString('base64');
  expect((await send(near.handle.httpPort, { method: 'POST', body })).body).toBe(body);
});

test('a WebSocket passes between peers', async () => {
  const sockets = new WebSocketServer({ noServer: true });
  await using dyno = await httpDyno((_request, response) => response.end(), {
    onUpgrade: (incoming, socket, head) =>
      sockets.handleUpgrade(incoming, socket, head, (ws) => ws.on('message', (data) => ws.send(data))),
  });
  await using near = await startRouter();
  await using far = await startRouter();
  await link(near, far, dyno, [farTarget(far, dyno)]);
  const ws = new WebSocket(`ws://127.0.0.1:${near.handle.httpPort}/`, { headers: { host: HOST } });
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  const echoed = new Promise<string>((resolve) =>
    ws.once('message', (data: Buffer) => resolve(data.toString())),
  );
  ws.send('hello');
  expect(await echoed).toBe('hello');
  const closed = new Promise((resolve) => ws.once('close', resolve));
  ws.close();
  await closed;
});

test('a dyno that its peer does not run any more is given up for another one, whatever the method', async () => {
  await using dyno = await httpDyno((request, response) => void request.pipe(response));
  await using near = await startRouter();
  await using far = await startRouter();
  const stale = farTarget(far, dyno, { dyno: 'dyno-gone' as DynoId });
  await link(near, far, dyno, [stale, farTarget(far, dyno)]);
  for (let i = 0; i < 10; i += 1) {
    const body = randomBytes(200 * 1024).toString('hex');
    expect((await send(near.handle.httpPort, { method: 'POST', body })).body).toBe(body);
  }
});

test('how a far dyno fails is told as if it were near', async () => {
  await using closing = await rawDyno((socket) => socket.once('data', () => socket.destroy()));
  await using near = await startRouter({ holdMs: 200 });
  await using far = await startRouter();
  await link(near, far, closing, [farTarget(far, closing)]);
  expect((await send(near.handle.httpPort, { method: 'POST' })).status).toBe(503);
  await eventually(() => near.lines.some((line) => line.includes('code=H13')));
  const deaf = { ...closing, port: await deafPort() };
  await link(near, far, deaf, [farTarget(far, deaf)]);
  expect((await send(near.handle.httpPort, { method: 'POST' })).status).toBe(503);
  await eventually(() => near.lines.some((line) => line.includes('code=H21')));
  expect(near.suspects).toContain(`dyno-${deaf.port}`);
});

test('a peer with another key than the one it is listed with is not spoken to', async () => {
  let asked = 0;
  await using dyno = await httpDyno((_request, response) => {
    asked += 1;
    response.end('stolen');
  });
  await using near = await startRouter({ holdMs: 300, peerEjectMs: 50 });
  await using far = await startRouter();
  await using thief = await startRouter();
  await link(near, far, dyno, [farTarget(far, dyno, { port: thief.handle.proxyPort })]);
  await thief.handle.setTable(
    tableOf(routeApp([target({ port: dyno.port })]), { self: thief.peer, members: [near.peer, thief.peer] }),
  );
  expect((await send(near.handle.httpPort)).status).toBe(503);
  expect(asked).toBe(0);
});

test('a stranger is not served, nor is a member from the moment it is removed', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using near = await startRouter();
  await using far = await startRouter();
  await link(near, far, dyno, [farTarget(far, dyno)]);
  const ask = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nkith-dyno: dyno-${dyno.port}\r\n\r\n`;
  const said = await new Promise<string>((resolve) => {
    let text = '';
    const socket = tlsConnect({ host: '127.0.0.1', port: far.handle.proxyPort, rejectUnauthorized: false });
    socket.on('secureConnect', () => socket.write(ask));
    socket.on('data', (data: Buffer) => (text += data.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
  expect(said).toBe('');

  const member = new PeerTls(near.dir);
  const socket = tlsConnect({ ...member.clientOptions(), host: '127.0.0.1', port: far.handle.proxyPort });
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString()));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(ask);
  await eventually(() => text.includes('here'));
  await far.handle.setTable(
    tableOf(routeApp([target({ port: dyno.port })]), { self: far.peer, members: [far.peer] }),
  );
  text = '';
  socket.write(ask);
  await closed;
  expect(text).toBe('');
});

test('a request whose peer dies before it answered is served by another dyno', async () => {
  let isReached = false;
  await using silent = await httpDyno(() => (isReached = true));
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using near = await startRouter();
  await using far = await startRouter();
  await link(near, far, silent, [farTarget(far, silent)]);
  const reply = send(near.handle.httpPort);
  await eventually(() => isReached);
  process.kill(routerPid(far.dir), 'SIGKILL');
  await near.handle.setTable(
    tableOf(routeApp([target({ port: dyno.port })]), { members: [near.peer, far.peer] }),
  );
  expect((await reply).body).toBe('here');
});

test('a request is not left with a peer that fell silent and then left the table', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using near = await startRouter({ connectMs: 300 });
  await using far = await startRouter();
  // A cut network: what is sent arrives nowhere, and nobody says so.
  const hole = await blackHole(far);
  const members = [near.peer, far.peer];
  const lost = target({ dyno: 'dyno-lost' as DynoId, peer: far.peer, local: false, port: hole.port });
  await near.handle.setTable(tableOf(routeApp([lost]), { members }));
  const reply = send(near.handle.httpPort);
  await eventually(() => hole.requests() === 1);
  hole.stopAnswering();
  await near.handle.setTable(tableOf(routeApp([target({ port: dyno.port })]), { members }));
  expect((await reply).body).toBe('here');
  await hole.close();
});

/** A listener with the far peer's key that takes requests and answers none, and later not even handshakes. */
async function blackHole(far: TestRouter) {
  const tls = createTlsServer(new PeerTls(far.dir).serverOptions());
  const sockets = new Set<TLSSocket>();
  let requests = 0;
  let isSilent = false;
  tls.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => (requests += 1));
  });
  const front = createServer((socket) => {
    socket.on('error', () => {});
    if (!isSilent) tls.emit('connection', socket);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const address = front.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    requests: () => requests,
    stopAnswering: () => (isSilent = true),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      front.close();
    },
  };
}
