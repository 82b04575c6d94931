import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { send, sendRaw } from './helpers/client.ts';
import { httpDyno } from './helpers/dynos.ts';
import { HOST, routeApp, startRouter, tableOf, target } from './helpers/test-router.ts';

test('a request reaches a dyno of the app that its Host names, with the headers of Heroku', async () => {
  await using dyno = await httpDyno((request, response) => response.end(JSON.stringify(request.headers)));
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const reply = await send(router.handle.httpPort, {
    path: '/p?q=1',
    headers: {
      'x-forwarded-for': '9.9.9.9',
      'x-forwarded-proto': 'https',
      'kith-dyno': 'x',
      X_Forwarded_Proto: 'y',
    },
  });
  expect(reply.status).toBe(200);
  expect(reply.headers['via']).toBe('1.1 kith');
  const seen = JSON.parse(reply.body) as Record<string, string>;
  expect(seen).toMatchObject({
    host: HOST,
    'x-forwarded-for': '9.9.9.9, 127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': String(router.handle.httpPort),
    'x-forwarded-host': HOST,
    via: '1.1 kith',
    connection: 'close',
  });
  expect(seen['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(Number(seen['x-request-start'])).toBeGreaterThan(1.6e12);
  expect(seen).not.toHaveProperty('kith-dyno');
  expect(seen).not.toHaveProperty('x_forwarded_proto');
  const line = await eventually(() => router.lines[0]);
  expect(line).toMatch(
    /^at=info method=GET path="\/p\?q=1" host=web\.example\.com request_id=\S+ fwd="9\.9\.9\.9, 127\.0\.0\.1" dyno=web\.1 connect=\d+ms service=\d+ms status=200 bytes=\d+ protocol=http$/,
  );
});

test('requests that arrive together on one connection are answered in their order', async () => {
  await using dyno = await httpDyno((request, response) => response.end(`[${request.url}]`));
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`;
  const answer = await sendRaw(
    router.handle.httpPort,
    get('/1') + get('/2') + get('/3', 'Connection: close\r\n'),
  );
  expect(answer.match(/\[\/\d\]/g)).toEqual(['[/1]', '[/2]', '[/3]']);
});

test("a challenge of a certificate authority is answered before the app, and all else there is the app's", async () => {
  await using dyno = await httpDyno((_, response) => response.end('from the app'));
  await using router = await startRouter();
  const open = { token: 'abc', authorization: 'abc.thumb', expiresAt: Date.now() + 60_000 };
  const table = tableOf(routeApp([target({ port: dyno.port })]));
  await router.handle.setTable({ ...table, challenges: { [HOST]: [open] } });
  const port = router.handle.httpPort;
  const path = '/.well-known/acme-challenge/';
  expect(await send(port, { path: `${path}abc` })).toMatchObject({ status: 200, body: 'abc.thumb' });
  expect(await send(port, { path: `${path}abc`, headers: { host: 'blog.localhost' } })).toMatchObject({
    body: 'from the app',
  });
  expect(await send(port, { path: `${path}other` })).toMatchObject({ body: 'from the app' });
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  expect(await send(port, { path: `${path}abc` })).toMatchObject({ body: 'from the app' });
});
