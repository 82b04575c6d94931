import { existsSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { openRouter } from '../../agent/router/handle.ts';
import { pino } from 'pino';
import { eventually } from '../helpers/eventually.ts';
import { freePort } from '../helpers/free-port.ts';
import { send } from './helpers/client.ts';
import { httpDyno, type TestDyno } from './helpers/dynos.ts';
import { routerPid } from './helpers/router-pid.ts';
import { HOST, routeApp, startRouter, tableOf, target } from './helpers/test-router.ts';
import type { DynoId } from '../../src/ids.ts';

const log = pino({ level: 'silent' });

test('the router serves on while no agent is there, and hands its lines to the next one', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const { httpPort } = router.handle;
  const pid = routerPid(router.dir);
  await router.handle[Symbol.asyncDispose]();
  expect((await send(httpPort, { path: '/alone' })).body).toBe('here');
  const next = await router.reopen();
  expect(next.httpPort).toBe(httpPort);
  expect(routerPid(router.dir)).toBe(pid);
  await eventually(() => router.lines.some((line) => line.includes('path="/alone"')));
});

test('lines that nobody fetches are bounded: the newest stay', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter({ logLinesMax: 5 });
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  await router.handle[Symbol.asyncDispose]();
  for (let i = 0; i < 12; i += 1) await send(router.handle.httpPort, { path: `/${i}` });
  await router.reopen();
  await eventually(() => router.lines.length >= 5);
  expect(router.lines.map((line) => /path="\/(\d+)"/.exec(line)?.[1])).toEqual(['7', '8', '9', '10', '11']);
});

test('a router process that dies is started again on its ports, with its table', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  // Ports that nobody comes by while the process is away.
  await using router = await startRouter({}, { port: await freePort(), proxyPort: await freePort() });
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const { httpPort } = router.handle;
  process.kill(routerPid(router.dir), 'SIGKILL');
  const isThere = async () => {
    const got = await send(httpPort);
    return got.status === 200 ? got : null;
  };
  const reply = await eventually(isThere, { withinMs: 60_000 });
  expect(reply.body).toBe('here');
  expect(router.handle.httpPort).toBe(httpPort);
});

test('a port that is taken is named, with a hint', async () => {
  await using router = await startRouter();
  await router.handle.shutdown(0);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const options = {
    dir: router.dir,
    host: '127.0.0.1',
    port,
    httpsPort: null,
    proxyHost: '127.0.0.1',
    proxyPort: 0,
    log,
  };
  await expect(openRouter(options)).rejects.toMatchObject({
    code: 'conflict',
    message: `Cannot listen for HTTP requests on "127.0.0.1:${port}": another program uses this port`,
    hint: 'Choose another port, or stop the program that uses this one',
  });
  server.close();
});

test('shutdown lets a request end, then the process', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  await using dyno = await httpDyno((_request, response) => asked.resolve(response));
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const pid = routerPid(router.dir);
  const reply = send(router.handle.httpPort);
  const response = await asked.promise;
  const ended = router.handle.shutdown(60_000);
  response.end('done');
  expect((await reply).body).toBe('done');
  await ended;
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

test('no request fails while dynos are replaced without pause under load', async () => {
  await using router = await startRouter();
  const { httpPort } = router.handle;
  const dynos: TestDyno[] = [];
  const start = async (): Promise<TestDyno> => {
    const dyno = await httpDyno((request, response) => {
      request.resume();
      request.on('end', () => setTimeout(() => response.end('ok'), Math.random() * 10));
    });
    dynos.push(dyno);
    return dyno;
  };
  const tableFor = (up: readonly TestDyno[], alive: readonly TestDyno[]) =>
    tableOf(routeApp(up.map((dyno) => target({ port: dyno.port }))), {
      localDynos: Object.fromEntries(
        alive.map((each) => [`dyno-${each.port}`, { host: '127.0.0.1', port: each.port }]),
      ),
    });
  let up = [await start(), await start()];
  await router.handle.setTable(tableFor(up, up));

  const over = new AbortController();
  const failures: string[] = [];
  let served = 0;
  const client = async (method: string): Promise<void> => {
    while (!over.signal.aborted) {
      const reply = await send(httpPort, {
        method,
        ...(method === 'POST' ? { body: 'x'.repeat(1_000) } : {}),
      });
      if (reply.status === 200) served += 1;
      else failures.push(`${method} ${reply.status}`);
    }
  };
  const clients = ['GET', 'GET', 'POST', 'POST', 'GET', 'POST'].map(client);
  const isEnough = (): boolean => served > 100 || failures.length > 0;
  for (let round = 0; round < 25 || !isEnough(); round += 1) {
    const [old, kept] = up;
    const fresh = await start();
    if (old === undefined || kept === undefined) throw new Error('two dynos are up at all times');
    up = [kept, fresh];
    await router.handle.setTable(tableFor(up, [old, kept, fresh]));
    await router.handle.drained(`dyno-${old.port}` as DynoId, AbortSignal.timeout(60_000));
    await old[Symbol.asyncDispose]();
    await router.handle.setTable(tableFor(up, up));
  }
  over.abort();
  await Promise.all(clients);
  expect(failures).toEqual([]);
  for (const dyno of dynos) await dyno[Symbol.asyncDispose]();
});

test('an idle connection costs nothing but its socket, and a slow head is cut off', async () => {
  await using router = await startRouter({ headMs: 200 });
  await router.handle.setTable(tableOf(routeApp([])));
  const socket = connect(router.handle.httpPort, '127.0.0.1');
  socket.on('error', () => {}); // It may be reset, where the router was too slow to read what it cuts off.
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n`);
  await new Promise((resolve) => socket.once('close', resolve));
});
