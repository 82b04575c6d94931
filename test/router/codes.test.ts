import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { APP, HOST, routeApp, startRouter, tableOf, target, type TestRouter } from './helpers/test-router.ts';
import { eventually } from '../helpers/eventually.ts';
import { send, sendRaw } from './helpers/client.ts';
import { deafPort, httpDyno, rawDyno } from './helpers/dynos.ts';
import type { DynoId } from '../../src/ids.ts';

const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

async function lineWith(router: TestRouter, text: string): Promise<string> {
  return await eventually(() => router.lines.find((line) => line.includes(text)));
}

test.for([
  ['H14', { webQuantity: 0 }, 503],
  ['H10', { crashed: true }, 503],
  ['H80', { maintenance: true }, 503],
  ['H81', { blank: true }, 502],
  ['H20', { starting: true }, 503],
] as const)('an app without a dyno up is answered with %s', async ([code, fields, status]) => {
  await using router = await startRouter({ holdMs: 200 });
  await router.handle.setTable(tableOf(routeApp([], fields)));
  const reply = await send(router.handle.httpPort);
  expect(reply.status).toBe(status);
  expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(await lineWith(router, `code=${code}`)).toContain(`status=${status} bytes=`);
});

test('an unknown host gets a page of its own and no log line', async () => {
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([])));
  const reply = await send(router.handle.httpPort, { headers: { host: 'constructor' } });
  expect(reply.status).toBe(404);
  expect(reply.body).toContain('No such app');
});

test('a request waits while a dyno is starting, and is served by it', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([], { starting: true })));
  const reply = send(router.handle.httpPort);
  const other = await send(router.handle.httpPort, { headers: { host: 'other' } });
  expect(other.status).toBe(404);
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  expect((await reply).body).toBe('here');
});

test('a dyno that refuses is left out, reported, and another one serves', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  const refusing = await deafPort();
  await using router = await startRouter({ ejectMs: 600_000 });
  await router.handle.setTable(tableOf(routeApp([target({ port: refusing }), target({ port: dyno.port })])));
  for (let i = 0; i < 20; i += 1) {
    expect((await send(router.handle.httpPort, { method: 'POST', body: 'x' })).body).toBe('here');
  }
  await eventually(() => router.suspects.length > 0);
  expect(router.suspects).toEqual([`dyno-${refusing}`]);
});

test('when every dyno refuses for as long as a request may be held, it fails with H21', async () => {
  await using router = await startRouter({ holdMs: 300, ejectMs: 50 });
  await router.handle.setTable(tableOf(routeApp([target({ port: await deafPort() })])));
  expect((await send(router.handle.httpPort)).status).toBe(503);
  expect(await lineWith(router, 'code=H21')).toContain('dyno=web.1 connect= service= status=503');
});

test('a dyno that says nothing is H12, and the client is told', async () => {
  await using dyno = await httpDyno(() => {});
  await using router = await startRouter({ firstByteMs: 200 });
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  expect((await send(router.handle.httpPort)).status).toBe(503);
  expect(await lineWith(router, 'code=H12')).toContain('desc="Request timeout"');
});

test('a dyno that stops in the midst of its response is H15, and the client sees that it is not whole', async () => {
  await using dyno = await httpDyno((_request, response) => response.write('half'));
  await using router = await startRouter({ idleMs: 200 });
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  await expect(send(router.handle.httpPort)).rejects.toThrow();
  await lineWith(router, 'code=H15');
});

test('a dyno that dies in the midst of its response is H18', async () => {
  await using dyno = await httpDyno((request, response) => {
    response.write('half', () => request.socket.destroy());
  });
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  await expect(send(router.handle.httpPort)).rejects.toThrow();
  expect(await lineWith(router, 'code=H18')).toMatch(/sock=backend$/);
});

test('a dyno that closes without a word is H13 for a POST, and asked no twice', async () => {
  let asked = 0;
  await using dyno = await rawDyno((socket) => {
    asked += 1;
    socket.once('data', () => socket.destroy());
  });
  await using good = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  expect((await send(router.handle.httpPort, { method: 'POST', body: 'x' })).status).toBe(503);
  await lineWith(router, 'code=H13');
  expect(asked).toBe(1);
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port }), target({ port: good.port })])));
  for (let i = 0; i < 20; i += 1) expect((await send(router.handle.httpPort)).body).toBe('here');
});

test.for([
  ['H17', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 503],
  ['H17', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', 503],
  ['H17', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 503],
  ['H17', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', 503],
  ['H25', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(600 * 1024)}\r\n\r\n`, 502],
] as const)('%s: a response that no client may see', async ([code, response, status]) => {
  await using dyno = await rawDyno((socket) => socket.once('data', () => socket.write(response)));
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  expect((await send(router.handle.httpPort, { method: 'POST' })).status).toBe(status);
  await lineWith(router, `code=${code}`);
});

test('a client that leaves is H27, and its dyno sees the connection close', async () => {
  await using dyno = await httpDyno(() => {});
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const socket = connect(router.handle.httpPort, '127.0.0.1');
  socket.write(GET);
  await eventually(() => dyno.sockets.size === 1);
  socket.destroy();
  expect(await lineWith(router, 'code=H27')).toMatch(/^at=warning .* status=499 .* sock=client$/);
  await eventually(() => dyno.sockets.size === 0);
});

test('a client that stalls in the midst of its request is H28', async () => {
  await using dyno = await httpDyno(() => {});
  await using router = await startRouter({ idleMs: 200, lingerMs: 50 });
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  await sendRaw(router.handle.httpPort, `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 9\r\n\r\nab`);
  await lineWith(router, 'code=H28');
});

test('a chunk that cannot be followed is H26 and a 400', async () => {
  await using dyno = await httpDyno(() => {});
  await using router = await startRouter({ lingerMs: 50 });
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const head = `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  expect(await sendRaw(router.handle.httpPort, `${head}5\r\nabcdefg\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  expect(await lineWith(router, 'code=H26')).toContain('cause="bad chunk"');
});

test('more requests than may wait are refused with H11', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter({ heldPerAppMax: 1 });
  await router.handle.setTable(tableOf(routeApp([], { starting: true })));
  const replies = [send(router.handle.httpPort), send(router.handle.httpPort)];
  expect(await lineWith(router, 'code=H11')).toContain('status=503');
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const statuses = (await Promise.all(replies)).map(({ status }) => status);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 503]);
});

test('drained() resolves when the last request has ended, and the dyno gets none after that', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  await using dyno = await httpDyno((_request, response) => asked.resolve(response));
  await using router = await startRouter();
  const up = tableOf(routeApp([target({ port: dyno.port })]));
  await router.handle.setTable(up);
  const reply = send(router.handle.httpPort);
  const response = await asked.promise;
  await router.handle.setTable({ ...up, apps: { [APP]: routeApp([], { starting: true }) } });
  let isDrained = false;
  const drained = router.handle
    .drained(`dyno-${dyno.port}` as DynoId, AbortSignal.timeout(60_000))
    .then(() => {
      isDrained = true;
    });
  await send(router.handle.httpPort, { headers: { host: 'other' } });
  expect(isDrained).toBe(false);
  response.end('done');
  expect((await reply).body).toBe('done');
  await drained;
});

test('waiting for a drain ends with its signal', async () => {
  await using dyno = await httpDyno(() => {});
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const reply = send(router.handle.httpPort).catch(() => null);
  await eventually(() => dyno.sockets.size === 1);
  const stop = new AbortController();
  const drained = router.handle.drained(`dyno-${dyno.port}` as DynoId, stop.signal);
  stop.abort(new Error('enough'));
  await expect(drained).rejects.toThrow('enough');
  await dyno[Symbol.asyncDispose]();
  await reply;
});
