import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestHeadParser, ResponseHeadParser, type Parsed } from '../../src/routing/head-parser.ts';
import type { Rejection } from '../../src/routing/http-syntax.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import { relayRequest } from '../../src/routing/rewrite.ts';
import { SMUGGLING_CASES } from './helpers/smuggling-corpus.ts';

type Result = Parsed<RequestHead> | Rejection | null;

function parse(text: string | Buffer): Result {
  return new RequestHeadParser().parse(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
}

function mustParse(text: string): RequestHead {
  const result = parse(text);
  if (result?.tag !== 'parsed') throw new Error(`Not parsed: ${JSON.stringify(result)}`);
  return result.head;
}

/** Gives the bytes as a socket would, in pieces, and stops at the first answer. */
function parseInPieces(bytes: Buffer, ends: readonly number[]): Result {
  const parser = new RequestHeadParser();
  for (const end of [...ends, bytes.length]) {
    const result = parser.parse(bytes.subarray(0, end));
    if (result !== null) return result;
  }
  return null;
}

test.for(SMUGGLING_CASES)('refused: $name', ({ bytes, status }) => {
  expect(parse(bytes)).toMatchObject({ tag: 'rejected', status });
});

test('the corpus is refused alike however its bytes are split', () => {
  const long = SMUGGLING_CASES.map((each) => Buffer.from(each.bytes, 'latin1'));
  fc.assert(
    fc.property(fc.constantFrom(...long), fc.array(fc.nat(), { maxLength: 6 }), (bytes, at) => {
      const ends = at.map((each) => each % bytes.length).sort((a, b) => a - b);
      expect(parseInPieces(bytes, ends)).toEqual(parse(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test('a request with the usual headers means what it says', () => {
  const head = mustParse(
    'POST /a?b=%20 HTTP/1.1\r\nHost: Web.example.com:8080\r\nContent-Length: 5\r\nContent-Length: 5\r\nX: \t y z \r\n' +
      'Connection: Keep-Alive, X\r\n\r\n',
  );
  expect(head).toMatchObject({
    method: 'POST',
    target: '/a?b=%20',
    minor: 1,
    host: 'Web.example.com:8080',
    body: 5,
    connection: ['keep-alive', 'x'],
    upgrade: null,
  });
  expect(head.headers.at(-2)).toEqual({ name: 'X', key: 'x', value: 'y z' });
});

test('one empty line before a request is passed over, and the offset is past the head', () => {
  expect(parse('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest')).toMatchObject({ tag: 'parsed', end: 29 });
});

test('absolute form becomes origin form, OPTIONS may ask for everything, IPv6 has brackets', () => {
  expect(mustParse('GET http://a?x HTTP/1.1\r\nHost: A\r\n\r\n').target).toBe('/?x');
  expect(mustParse('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n').target).toBe('*');
  expect(mustParse('GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n').host).toBe('[::1]:80');
  expect(mustParse('GET / HTTP/1.0\r\n\r\n').host).toBe('');
});

test('h2c and an upgrade that Connection does not name are no upgrades', () => {
  const upgradeOf = (lines: string): string | null =>
    mustParse(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`).upgrade;
  expect(upgradeOf('Connection: Upgrade\r\nUpgrade: websocket\r\n')).toBe('websocket');
  expect(upgradeOf('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n')).toBe(null);
  expect(upgradeOf('Upgrade: websocket\r\n')).toBe(null);
});

test('any bytes are parsed, refused or waited for, and the same however they are split', () => {
  const line = fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /x HTTP/1.0\r\n',
    'Host: a\r\n',
    'Content-Length: 3\r\n',
    'X: y\r\n',
    '\r\n',
    '\n',
    '\r',
    'Transfer-Encoding: chunked\r\n',
    ' ',
    ':',
    'abc',
    '\0',
    '\xff',
  );
  const bytes = fc.oneof(
    fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.join(''), 'latin1')),
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat({ max: 200 }), { maxLength: 5 }), (buffer, at) => {
      const ends = at.filter((each) => each < buffer.length).sort((a, b) => a - b);
      expect(parseInPieces(buffer, ends)).toEqual(parse(buffer));
    }),
    { numRuns: 3_000 },
  );
});

test('what is sent on is read by the next router as the same request', () => {
  const token = fc.stringMatching(/^[!#$%&'*+.^`|~0-9A-Za-z-]{1,20}$/);
  const value = fc.stringMatching(/^[!-~]([ -~\x80-\xff]{0,30}[!-~])?$/); // oxlint-disable-line no-control-regex
  const skipped =
    /^(?:host|connection|keep-alive|te|upgrade|expect|content-length|transfer-encoding|proxy-.*|http2-settings|kith-.*)$/i;
  const request = fc.record({
    method: token.filter((each) => each !== 'CONNECT'),
    target: fc.stringMatching(/^\/[!$-~]{0,40}$/),
    headers: fc.array(
      fc.tuple(
        token.filter((each) => !skipped.test(each)),
        value,
      ),
      { maxLength: 8 },
    ),
    body: fc.oneof(fc.nat(), fc.constant('chunked' as const)),
  });
  fc.assert(
    fc.property(request, ({ method, target, headers, body }) => {
      const framing = body === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${body}`;
      const lines = ['Host: a', ...headers.map(([name, text]) => `${name}: ${text}`), framing];
      const first = mustParse(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      const second = mustParse(relayRequest(first, false));
      expect({ ...second, headers: null }).toEqual({ ...first, headers: null });
      expect(mustParse(relayRequest(second, false))).toEqual(second);
      const ofClient = (head: RequestHead) => head.headers.filter((each) => !skipped.test(each.key));
      expect(ofClient(second)).toEqual(ofClient(first));
    }),
    { numRuns: 1_000 },
  );
});

test.for([
  ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'GET', 3],
  ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'HEAD', 0],
  ['HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n', 'GET', 0],
  ['HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n', 'GET', 'chunked'],
  ['HTTP/1.0 200 OK\r\n\r\n', 'GET', 'close'],
] as const)('the body of %j to a %s is %s', ([text, method, body]) => {
  expect(new ResponseHeadParser(method).parse(Buffer.from(text))).toMatchObject({
    tag: 'parsed',
    head: { body },
  });
});

test.for([
  'HTTP/1.1 200\r\n\r\n',
  'HTTP/2 200 OK\r\n\r\n',
  'HTTP/1.1 99 Low\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n',
  'HTTP/1.1 200 OK\nX: a\n\n',
])('refused as a response: %j', (text) => {
  expect(new ResponseHeadParser('GET').parse(Buffer.from(text))).toMatchObject({ tag: 'rejected' });
});
