import type { DynoId } from '../ids.ts';
import type { BodyLength, Header } from './http-syntax.ts';
import type { RequestHead } from './request-head.ts';
import { hasNoBody, type ResponseHead } from './response-head.ts';

/** Names the dyno that a request between two routers is for. */
export const DYNO_HEADER = 'kith-dyno';
/** Says why the far router could not serve. */
export const ERROR_HEADER = 'kith-error';
const VIA = '1.1 kith';

/** RFC 9110 7.6.1, and what older software believes to be hop-by-hop. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** What the near router says of the client; a client's own word for it is dropped. */
const OURS = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-host',
  'x-request-id',
  'x-request-start',
  'via',
  'connect-time',
  'total-route-time',
  'expect',
]);

/** Named here, a client's `Connection: host` strips nothing that decides where a message goes or ends. */
const NEVER_STRIPPED = new Set(['host', 'content-length', 'transfer-encoding', 'content-type']);

export type ForwardedRequest = {
  readonly clientAddress: string;
  readonly protocol: 'http' | 'https';
  /** The port that the client spoke to. */
  readonly port: number;
  readonly requestId: string;
  /** Wall ms when the request came. */
  readonly startMs: number;
  readonly connectMs: number;
  readonly routeMs: number;
  /** Close the connection to the dyno after this request. */
  readonly close: boolean;
  /** The dyno meant, when the next hop is another peer's router. */
  readonly via: DynoId | null;
};

/** The head that the near router sends on, as latin1. */
export function forwardRequest(head: RequestHead, forwarded: ForwardedRequest): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\n`;
  for (const { key, name, value } of head.headers) {
    if (!isStripped(key, head.connection) && key !== 'content-length' && !OURS.has(canonical(key)))
      text += `${name}: ${value}\r\n`;
  }
  const via = valueOf(head.headers, 'via');
  text +=
    `X-Forwarded-For: ${forwardedFor(head, forwarded.clientAddress)}\r\n` +
    `X-Forwarded-Proto: ${forwarded.protocol}\r\n` +
    `X-Forwarded-Port: ${forwarded.port}\r\n` +
    `X-Forwarded-Host: ${head.host}\r\n` +
    `X-Request-Id: ${forwarded.requestId}\r\n` +
    `X-Request-Start: ${forwarded.startMs}\r\n` +
    `Via: ${via === null ? VIA : `${via}, ${VIA}`}\r\n` +
    `Connect-Time: ${Math.round(forwarded.connectMs)}\r\n` +
    `Total-Route-Time: ${Math.round(forwarded.routeMs)}\r\n`;
  if (forwarded.via !== null) text += `${DYNO_HEADER}: ${forwarded.via}\r\n`;
  return text + requestEnd(head, forwarded.close);
}

/** The head that the far router sends on: the near one has said all there is to say of the client. */
export function relayRequest(head: RequestHead, close: boolean): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\n`;
  for (const { key, name, value } of head.headers) {
    if (!isStripped(key, head.connection) && key !== 'content-length') text += `${name}: ${value}\r\n`;
  }
  return text + requestEnd(head, close);
}

/**
 * The head that goes back, as latin1.
 * @param keepsAlive this connection carries further requests
 * @param body as it is sent on: `close` also for chunks taken apart for an HTTP/1.0 client
 * @param isFar between two routers nothing is added
 */
export function forwardResponse(
  head: ResponseHead,
  method: string,
  keepsAlive: boolean,
  body: BodyLength,
  isFar: boolean,
): string {
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  let hasLength = false;
  const dropsLength = head.status < 200 || head.status === 204 || body === 'chunked' || body === 'close';
  for (const { key, name, value } of head.headers) {
    if (isStripped(key, head.connection) || (key === 'via' && !isFar)) continue;
    if (key === 'content-length') {
      if (hasLength || dropsLength) continue;
      hasLength = true;
    }
    text += `${name}: ${value}\r\n`;
  }
  if (!isFar) {
    const via = valueOf(head.headers, 'via');
    text += `Via: ${via === null ? VIA : `${via}, ${VIA}`}\r\n`;
  }
  if (head.status === 101)
    return `${text}Connection: Upgrade\r\nUpgrade: ${valueOf(head.headers, 'upgrade') ?? ''}\r\n\r\n`;
  if (head.status < 200) return `${text}\r\n`;
  if (body === 'chunked' && !hasNoBody(head.status, method)) text += 'Transfer-Encoding: chunked\r\n';
  return `${text}Connection: ${keepsAlive ? 'keep-alive' : 'close'}\r\n\r\n`;
}

/** Heroku keeps a client's id when it is 20-200 characters of base64 or UUID, else makes one. */
export function requestIdOf(head: RequestHead, fresh: () => string): string {
  const id = valueOf(head.headers, 'x-request-id');
  return id !== null && /^[A-Za-z0-9+/=-]{20,200}$/.test(id) ? id : fresh();
}

export function forwardedFor(head: RequestHead, clientAddress: string): string {
  const before = valueOf(head.headers, 'x-forwarded-for');
  return before === null || before === '' ? clientAddress : `${before}, ${clientAddress}`;
}

/** A header's value, several joined as one list; null where there is none. */
export function valueOf(headers: readonly Header[], key: string): string | null {
  let value: string | null = null;
  for (const header of headers) {
    if (header.key === key) value = value === null ? header.value : `${value}, ${header.value}`;
  }
  return value;
}

/** The framing is written anew from what was parsed, never copied: the next hop cannot read it in another way. */
function requestEnd(head: RequestHead, close: boolean): string {
  let text = '';
  if (head.body === 'chunked') text += 'Transfer-Encoding: chunked\r\n';
  // An empty body that was announced (a POST's) stays announced.
  else if (head.body > 0 || valueOf(head.headers, 'content-length') !== null)
    text += `Content-Length: ${head.body}\r\n`;
  if (head.upgrade !== null) return `${text}Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n\r\n`;
  return close ? `${text}Connection: close\r\n\r\n` : `${text}\r\n`;
}

function isStripped(key: string, connection: readonly string[]): boolean {
  if (HOP_BY_HOP.has(canonical(key)) || canonical(key).startsWith('kith-')) return true;
  // CGI-like servers read `content_length` as `content-length`.
  if (canonical(key) !== key && NEVER_STRIPPED.has(canonical(key))) return true;
  return connection.length > 0 && connection.includes(key) && !NEVER_STRIPPED.has(key);
}

function canonical(key: string): string {
  return key.includes('_') ? key.replaceAll('_', '-') : key;
}
