import { CODES } from '../../src/routing/codes.ts';
import { BAD_REQUEST, errorPageHtml, NO_SUCH_APP, pageForCode } from '../../src/routing/error-page.ts';
import type { HCode } from '../../src/routing/codes.ts';
import type { ErrorPage } from '../../src/routing/error-page.ts';
import { ERROR_HEADER } from '../../src/routing/rewrite.ts';
import type { Failure } from './failures.ts';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
};

export function codeReply(code: HCode, method: string, keepsAlive: boolean): string {
  return pageReply(CODES[code].status, pageForCode(code), method, keepsAlive);
}

export function noSuchAppReply(method: string, keepsAlive: boolean): string {
  return pageReply(404, NO_SUCH_APP, method, keepsAlive);
}

/** RFC 8555 8.3. */
export function challengeReply(authorization: string, method: string, keepsAlive: boolean): string {
  return reply(200, 'application/octet-stream', authorization, method, keepsAlive);
}

export function badRequestReply(status: number): string {
  return pageReply(status, BAD_REQUEST, 'GET', false);
}

/** What one router says to another when it could not serve. */
export function farReply(failure: Failure, keepsAlive: boolean): string {
  const status = failure === 'no-such-dyno' ? '421 Misdirected Request' : '502 Bad Gateway';
  return (
    `HTTP/1.1 ${status}\r\n${ERROR_HEADER}: ${failure}\r\nContent-Length: 0\r\n` +
    `Connection: ${keepsAlive ? 'keep-alive' : 'close'}\r\n\r\n`
  );
}

function pageReply(status: number, page: ErrorPage, method: string, keepsAlive: boolean): string {
  return reply(status, 'text/html; charset=utf-8', errorPageHtml(page), method, keepsAlive);
}

function reply(status: number, type: string, body: string, method: string, keepsAlive: boolean): string {
  return (
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\n` +
    `Content-Type: ${type}\r\n` +
    'Cache-Control: no-cache, no-store\r\n' +
    `Date: ${new Date().toUTCString()}\r\n` +
    `Content-Length: ${body.length}\r\n` +
    `Connection: ${keepsAlive ? 'keep-alive' : 'close'}\r\n\r\n` +
    (method === 'HEAD' ? '' : body)
  );
}
