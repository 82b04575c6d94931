import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { BAD_CHUNKS, SMUGGLING_CASES } from '../routing/helpers/smuggling-corpus.ts';
import { sendRaw } from './helpers/client.ts';
import { httpDyno, type TestDyno } from './helpers/dynos.ts';
import { HOST, routeApp, startRouter, tableOf, target, type TestRouter } from './helpers/test-router.ts';

let router: TestRouter;
let dyno: TestDyno;
const seen: string[] = [];

beforeAll(async () => {
  dyno = await httpDyno((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
});

afterAll(async () => {
  await router[Symbol.asyncDispose]();
  await dyno[Symbol.asyncDispose]();
});

test.for(SMUGGLING_CASES)('the router refuses and closes: $name', async ({ bytes, status }) => {
  const follower = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const answer = await sendRaw(router.handle.httpPort, bytes + follower);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  expect(seen).toEqual([]);
});

test.for(BAD_CHUNKS)('the router lets no such chunk decide where a request ends: %s', async ([, body]) => {
  const head = `POST /first HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const follower = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const answer = await sendRaw(router.handle.httpPort, head + body + follower);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  await eventually(() => dyno.sockets.size === 0);
  expect(seen.filter((each) => each !== 'POST /first')).toEqual([]);
  seen.length = 0;
});
