import { createHash, randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../helpers/eventually.ts';
import { send, sendRaw } from './helpers/client.ts';
import { httpDyno, rawDyno } from './helpers/dynos.ts';
import { routerPid, rssMiB } from './helpers/router-pid.ts';
import { HOST, routeApp, startRouter, tableOf, target, type TestRouter } from './helpers/test-router.ts';

const MIB = 1024 * 1024;

async function routerTo(port: number): Promise<TestRouter> {
  const router = await startRouter({ lingerMs: 60_000 });
  await router.handle.setTable(tableOf(routeApp([target({ port })])));
  return router;
}

test('100 MB stream through both ways at once in bounded memory, at the pace of a slow reader', async () => {
  await using dyno = await httpDyno((incoming, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    incoming.pipe(response);
  });
  await using router = await routerTo(dyno.port);
  const pid = routerPid(router.dir);
  const block = randomBytes(MIB);
  const sent = createHash('sha256');
  const got = createHash('sha256');
  let bytes = 0;
  let rssMax = 0;
  await new Promise<void>((resolve, reject) => {
    const out = request({
      host: '127.0.0.1',
      port: router.handle.httpPort,
      method: 'POST',
      headers: { host: HOST },
    });
    out.on('error', reject);
    out.on('response', (response: IncomingMessage) => {
      response.on('data', (chunk: Buffer) => {
        got.update(chunk);
        bytes += chunk.length;
        // Every few MiB the reader dawdles, so that the pressure goes all the way back.
        if (bytes % (8 * MIB) > chunk.length) return;
        rssMax = Math.max(rssMax, rssMiB(pid));
        response.pause();
        setTimeout(() => response.resume(), 20);
      });
      response.on('error', reject);
      response.on('end', resolve);
    });
    let left = 100;
    const write = (): void => {
      while (left > 0) {
        left -= 1;
        sent.update(block);
        if (!out.write(block)) {
          out.once('drain', write);
          return;
        }
      }
      out.end();
    };
    write();
  });
  expect(bytes).toBe(100 * MIB);
  expect(got.digest('hex')).toBe(sent.digest('hex'));
  expect(rssMax).toBeLessThan(180);
});

test('a response that trickles is passed on as it comes', async () => {
  let finish = (): void => {};
  await using dyno = await httpDyno((_request, response) => {
    response.write('data: 1\n\n');
    finish = () => response.end('data: 2\n\n');
  });
  await using router = await routerTo(dyno.port);
  const socket = connect(router.handle.httpPort, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  await eventually(() => text.includes('data: 1'));
  expect(text).not.toContain('data: 2');
  finish();
  await eventually(() => text.includes('data: 2'));
  socket.destroy();
});

test('an early answer reaches a client that is still sending, and its connection is used on', async () => {
  await using dyno = await httpDyno((incoming, response) => {
    response.writeHead(413).end('too much');
    incoming.resume();
  });
  await using router = await routerTo(dyno.port);
  const reply = await send(router.handle.httpPort, { method: 'POST', body: Buffer.alloc(5 * MIB) });
  expect(reply).toMatchObject({ status: 413, body: 'too much' });
});

test('a WebSocket carries messages both ways, and its close', async () => {
  const sockets = new WebSocketServer({ noServer: true });
  await using dyno = await httpDyno((_request, response) => response.end(), {
    onUpgrade: (incoming, socket, head) =>
      sockets.handleUpgrade(incoming, socket, head, (ws) => {
        ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
      }),
  });
  await using router = await routerTo(dyno.port);
  const ws = new WebSocket(`ws://127.0.0.1:${router.handle.httpPort}/chat`, { headers: { host: HOST } });
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  const big = randomBytes(3 * MIB);
  const echoed = new Promise<Buffer>((resolve) => ws.once('message', (data: Buffer) => resolve(data)));
  ws.send(big);
  expect((await echoed).equals(big)).toBe(true);
  const closed = new Promise<number>((resolve) => ws.once('close', resolve));
  ws.close(4001);
  expect(await closed).toBe(4001);
  expect(await eventually(() => router.lines[0])).toContain('status=101');
});

test('100 Continue comes from the router, once a dyno has the connection', async () => {
  await using dyno = await httpDyno((incoming, response) => {
    expect(incoming.headers).not.toHaveProperty('expect');
    incoming.pipe(response);
  });
  await using router = await routerTo(dyno.port);
  const body = await new Promise<string>((resolve, reject) => {
    const out = request({
      host: '127.0.0.1',
      port: router.handle.httpPort,
      method: 'POST',
      headers: { host: HOST, expect: '100-continue', 'content-length': 5 },
    });
    out.on('continue', () => out.end('hello'));
    out.on('error', reject);
    out.on('response', (response: IncomingMessage) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text));
    });
    out.flushHeaders();
  });
  expect(body).toBe('hello');
});

test('any other expectation is a 417', async () => {
  await using router = await routerTo(1);
  const answer = await sendRaw(
    router.handle.httpPort,
    `POST / HTTP/1.1\r\nHost: ${HOST}\r\nExpect: x\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 417 /);
});

test('an HTTP/1.0 client gets chunks taken apart and the end of the connection', async () => {
  await using dyno = await httpDyno((_request, response) => {
    response.write('one ');
    response.end('two');
  });
  await using router = await routerTo(dyno.port);
  const answer = await sendRaw(router.handle.httpPort, `GET / HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`);
  expect(answer).toMatch(/\r\nConnection: close\r\n\r\none two$/);
  expect(answer).not.toMatch(/transfer-encoding/i);
});

test.for([
  ['HEAD', 200],
  ['GET', 204],
  ['GET', 304],
] as const)('%s with %i ends with its head, and the next request is answered', async ([method, status]) => {
  await using dyno = await httpDyno((incoming, response) => {
    if (incoming.url === '/next') response.end('next');
    else response.writeHead(status, status === 200 ? { 'content-length': 5 } : {}).end();
  });
  await using router = await routerTo(dyno.port);
  const first = `${method} / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const next = `GET /next HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;
  const answer = await sendRaw(router.handle.httpPort, first + next);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*HTTP/1.1 200 OK.*next$`, 's'));
});

test('trailers and informational answers pass', async () => {
  await using dyno = await httpDyno((_request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.writeHead(200, { trailer: 'x-sum' });
    response.write('body');
    response.addTrailers({ 'x-sum': '42' });
    response.end();
  });
  await using router = await routerTo(dyno.port);
  const answer = await sendRaw(
    router.handle.httpPort,
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\n[^]*HTTP\/1\.1 200 OK[^]*0\r\nx-sum: 42\r\n\r\n$/i);
});

test('a response without a length ends with its connection', async () => {
  await using dyno = await rawDyno((socket) =>
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nall')),
  );
  await using router = await routerTo(dyno.port);
  expect(await send(router.handle.httpPort)).toMatchObject({ status: 200, body: 'all' });
});
