import { expect, test } from 'vitest';
import { RequestHeadParser, ResponseHeadParser } from '../../src/routing/head-parser.ts';
import { routerLogLine, type RequestRecord } from '../../src/routing/log-line.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import type { ResponseHead } from '../../src/routing/response-head.ts';
import {
  forwardRequest,
  forwardResponse,
  requestIdOf,
  type ForwardedRequest,
} from '../../src/routing/rewrite.ts';
import type { DynoId } from '../../src/ids.ts';

function request(lines: string): RequestHead {
  const parsed = new RequestHeadParser().parse(
    Buffer.from(`GET /p HTTP/1.1\r\nHost: a\r\n${lines}\r\n`, 'latin1'),
  );
  if (parsed?.tag !== 'parsed') throw new Error('not a request');
  return parsed.head;
}

function response(text: string): ResponseHead {
  const parsed = new ResponseHeadParser('GET').parse(Buffer.from(text, 'latin1'));
  if (parsed?.tag !== 'parsed') throw new Error('not a response');
  return parsed.head;
}

const CLIENT: ForwardedRequest = {
  clientAddress: '1.2.3.4',
  protocol: 'http',
  port: 80,
  requestId: 'id',
  startMs: 1_700_000_000_000,
  connectMs: 1,
  routeMs: 2,
  close: true,
  via: null,
};

test('a request goes on with what the router knows of the client, and without what the client may not say', () => {
  const head = request(
    'Connection: keep-alive, X-Hop, Host\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Forwarded-Proto: https\r\nx_forwarded_for: 6\r\n' +
      'X-Forwarded-For: 9.9.9.9\r\nTE: trailers\r\nVia: 1.0 other\r\nKith-Dyno: x\r\nX: \xe9\r\n',
  );
  expect(forwardRequest(head, CLIENT)).toBe(
    'GET /p HTTP/1.1\r\nHost: a\r\nX: \xe9\r\nX-Forwarded-For: 9.9.9.9, 1.2.3.4\r\nX-Forwarded-Proto: http\r\n' +
      'X-Forwarded-Port: 80\r\nX-Forwarded-Host: a\r\nX-Request-Id: id\r\nX-Request-Start: 1700000000000\r\n' +
      'Via: 1.0 other, 1.1 kith\r\nConnect-Time: 1\r\nTotal-Route-Time: 2\r\nConnection: close\r\n\r\n',
  );
});

test('between routers the dyno is named; lengths are written once; an upgrade is asked for anew', () => {
  const text = (lines: string): string =>
    forwardRequest(request(lines), { ...CLIENT, via: 'd' as DynoId, close: false });
  expect(text('Content-Length: 5\r\nContent-Length: 5\r\n')).toMatch(
    /\r\nkith-dyno: d\r\nContent-Length: 5\r\n\r\n$/,
  );
  expect(text('Content-Length: 0\r\n')).toMatch(/\r\nContent-Length: 0\r\n\r\n$/);
  expect(text('Transfer-Encoding: Chunked\r\n')).toMatch(/\r\nTransfer-Encoding: chunked\r\n\r\n$/);
  expect(text('Connection: upgrade\r\nUpgrade: websocket\r\n')).toMatch(
    /kith-dyno: d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/,
  );
});

test('a client keeps its request id only when it is a plain one of 20 to 200 characters', () => {
  const idOf = (id: string): string => requestIdOf(request(`X-Request-Id: ${id}\r\n`), () => 'fresh');
  expect(idOf('0b0e75c1-0b0e-75c1-0b0e-75c10b0e75c1')).toBe('0b0e75c1-0b0e-75c1-0b0e-75c10b0e75c1');
  expect(idOf('short')).toBe('fresh');
  expect(idOf('x'.repeat(201))).toBe('fresh');
  expect(idOf(`${'x'.repeat(30)}"`)).toBe('fresh');
});

test('a response goes back with its own headers, one length, and how this connection goes on', () => {
  const head = response(
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nkith-error: x\r\n' +
      'Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n',
  );
  expect(forwardResponse(head, 'GET', true, 3, false)).toBe(
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nVia: 1.1 kith\r\nConnection: keep-alive\r\n\r\n',
  );
  const chunked = response('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  expect(forwardResponse(chunked, 'GET', true, 'chunked', true)).toBe(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n',
  );
  const none = response('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n');
  expect(forwardResponse(none, 'GET', false, 0, true)).toBe(
    'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n',
  );
});

const SERVED: RequestRecord = {
  code: null,
  method: 'GET',
  path: '/p?q',
  host: 'h',
  requestId: 'id',
  fwd: '1.2.3.4',
  dyno: 'web.1',
  connectMs: 0.6,
  serviceMs: 18,
  status: 200,
  bytes: 13,
  protocol: 'https',
  tlsVersion: 'TLSv1.3',
};

test.for([
  [
    {},
    'at=info method=GET path="/p?q" host=h request_id=id fwd="1.2.3.4" dyno=web.1 connect=1ms service=18ms status=200 bytes=13 protocol=https tls=true tls_version=tls1.3',
  ],
  [
    { code: 'H14', dyno: null, connectMs: null, serviceMs: null, status: 503, bytes: null, path: '/"x' },
    'at=error code=H14 desc="No web processes running" method=GET path="/%22x" host=h request_id=id fwd="1.2.3.4" dyno= connect= service= status=503 bytes= protocol=https tls=true tls_version=tls1.3',
  ],
  [
    { code: 'H27', status: 499 },
    'at=warning code=H27 desc="Client Request Interrupted" method=GET path="/p?q" host=h request_id=id fwd="1.2.3.4" dyno=web.1 connect=1ms service=18ms status=499 bytes=13 protocol=https tls=true tls_version=tls1.3 sock=client',
  ],
] as const)('a log line in the words of Heroku: %o', ([fields, line]) => {
  expect(routerLogLine({ ...SERVED, ...fields })).toBe(line);
});
